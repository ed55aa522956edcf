-- Immunization sessions. Planned and cancelled ones belong to the day they were planned for, held
-- ones to the St. Lucia day on which they began (in UTC it may already be the next month).
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators: SESSIONS_PLANNED, SESSIONS_HELD, SESSIONS_CANCELLED by STRAT_*.

WITH s AS (
    SELECT 'SESSIONS_PLANNED' AS indicator, to_char(planned_on, 'YYYYMM') AS period, site_municipality, strategy
    FROM imm.immunization_session WHERE planned_on >= :'period_start'::date AND planned_on < :'period_end'::date
    UNION ALL
    SELECT 'SESSIONS_CANCELLED', to_char(planned_on, 'YYYYMM'), site_municipality, strategy
    FROM imm.immunization_session WHERE planned_on >= :'period_start'::date AND planned_on < :'period_end'::date AND status = 'cancelled'
    UNION ALL
    SELECT 'SESSIONS_HELD', to_char(started_at AT TIME ZONE 'America/St_Lucia', 'YYYYMM'), site_municipality, strategy
    FROM imm.immunization_session
    WHERE status = 'held'
      AND started_at >= (:'period_start'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
      AND started_at <  (:'period_end'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
), g AS (SELECT indicator, period, site_municipality AS place, strategy, count(*) AS n FROM s GROUP BY 1, 2, 3, 4)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       period, indicator, 'STRAT_' || upper(strategy) AS disaggregation, sum(n)::bigint AS value
FROM g GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
