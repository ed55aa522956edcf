-- Notified cases of vaccine-preventable diseases, by the month of onset and by their classification
-- today: a case moves to another class when the laboratory reports.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators: VPD_<disease> by VPDC_SUSPECTED, VPDC_CONFIRMED or VPDC_DISCARDED and VAGE_*.

WITH g AS (
    SELECT municipality AS place, to_char(onset_on, 'YYYYMM') AS period, disease, classification,
           CASE WHEN age_years IS NULL THEN 'VAGE_UNK' WHEN age_years < 1 THEN 'VAGE_U1' WHEN age_years < 5 THEN 'VAGE_1_4Y'
                WHEN age_years < 15 THEN 'VAGE_5_14Y' ELSE 'VAGE_15P' END AS age_group,
           count(*) AS n
    FROM surv.vpd_case
    WHERE onset_on >= :'period_start'::date AND onset_on < :'period_end'::date AND deleted_at IS NULL
    GROUP BY 1, 2, 3, 4, 5
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       period, 'VPD_' || disease AS indicator, 'VPDC_' || upper(classification) || '|' || age_group AS disaggregation,
       sum(n)::bigint AS value
FROM g GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
