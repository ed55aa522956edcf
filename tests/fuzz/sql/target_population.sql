-- The yearly denominators: of every year that the window touches, the latest revision.
--
-- Parameters (dates):
--   :'period_start'   first day of the years asked for
--   :'period_end'     the day after their last day
-- Columns: municipality (made comparable as in the other queries), period (YYYY), indicator,
-- disaggregation (always empty), value.
--
-- Indicators: TARGET_LIVE_BIRTHS, TARGET_SURVIVING_INFANTS, TARGET_POP_1Y, TARGET_POP_TOTAL.

SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(m.name,
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       t.year::text AS period, x.indicator, '' AS disaggregation, x.n::bigint AS value
FROM (SELECT DISTINCT ON (municipality_id, year) * FROM ref.target_population
      WHERE year BETWEEN extract(year FROM :'period_start'::date) AND extract(year FROM (:'period_end'::date - 1))
      ORDER BY municipality_id, year, revision DESC) t
JOIN ref.municipality m USING (municipality_id)
CROSS JOIN LATERAL (VALUES ('TARGET_LIVE_BIRTHS', t.live_births), ('TARGET_SURVIVING_INFANTS', t.surviving_infants),
    ('TARGET_POP_1Y', t.pop_1y), ('TARGET_POP_TOTAL', t.pop_total)) x(indicator, n)
ORDER BY 1, 2, 3, 4;
