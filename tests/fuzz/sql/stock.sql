-- Vaccine stock in doses, from the ledger of the store rooms. The municipality is where the facility is.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators, all by VAC_*:
--   STOCK_OPENING, STOCK_RECEIVED, STOCK_OPENED, STOCK_DISCARDED, STOCK_ISSUED_OUT,
--   STOCK_ADJUSTED (may be negative), STOCK_CLOSING   added up over the facilities of a municipality
--   STOCKOUT_DAYS   days of the month that ended with nothing in stock: the largest value among
--                   the facilities of a municipality
--
-- There are rows for every month in which a facility was open, also where nothing moved.

WITH month AS (
    SELECT m::date AS m0, (m + interval '1 month')::date AS m1
    FROM generate_series(:'period_start'::date, :'period_end'::date - 1, interval '1 month') m
), balance AS MATERIALIZED (
    SELECT facility_id, vaccine_code, txn_on,
           sum(sum(doses)) OVER w AS on_hand,
           lead(txn_on) OVER w AS next_on
    FROM imm.stock_transaction
    WHERE txn_on < :'period_end'::date
    GROUP BY facility_id, vaccine_code, txn_on
    WINDOW w AS (PARTITION BY facility_id, vaccine_code ORDER BY txn_on)
), holding AS MATERIALIZED (
    SELECT month.m0, month.m1, f.facility_id, f.municipality_id, k.vaccine_code, f.opened_on, f.closed_on
    FROM month
    JOIN ref.facility f ON f.opened_on < month.m1 AND (f.closed_on IS NULL OR f.closed_on >= month.m0)
    JOIN (SELECT facility_id, vaccine_code, min(txn_on) AS first_on
          FROM imm.stock_transaction WHERE txn_on < :'period_end'::date GROUP BY 1, 2) k
         ON k.facility_id = f.facility_id AND k.first_on < month.m1
), moved AS MATERIALIZED (
    SELECT facility_id, vaccine_code, date_trunc('month', txn_on)::date AS m0,
           sum(doses) FILTER (WHERE txn_type IN ('opening','receipt')) AS received,
           -sum(doses) FILTER (WHERE txn_type = 'opened') AS opened,
           -sum(doses) FILTER (WHERE txn_type = 'discard') AS discarded,
           -sum(doses) FILTER (WHERE txn_type = 'issue_out') AS issued,
           sum(doses) FILTER (WHERE txn_type = 'reversal') AS adjusted
    FROM imm.stock_transaction WHERE txn_on >= :'period_start'::date AND txn_on < :'period_end'::date
    GROUP BY 1, 2, 3
), level AS MATERIALIZED (
    SELECT h.m0, h.facility_id, h.vaccine_code,
           coalesce(sum(b.on_hand) FILTER (WHERE b.txn_on < h.m0 AND (b.next_on IS NULL OR b.next_on >= h.m0)), 0) AS opening,
           coalesce(sum(b.on_hand) FILTER (WHERE b.next_on IS NULL OR b.next_on >= h.m1), 0) AS closing,
           coalesce(sum(least(coalesce(b.next_on, h.m1), h.m1, coalesce(h.closed_on + 1, h.m1)) - greatest(b.txn_on, h.m0))
                    FILTER (WHERE b.on_hand <= 0
                            AND least(coalesce(b.next_on, h.m1), h.m1, coalesce(h.closed_on + 1, h.m1)) > greatest(b.txn_on, h.m0)), 0) AS out_days
    FROM holding h
    JOIN (SELECT * FROM balance WHERE next_on IS NULL OR next_on >= :'period_start'::date) b
         ON b.facility_id = h.facility_id AND b.vaccine_code = h.vaccine_code
         AND b.txn_on < h.m1 AND (b.next_on IS NULL OR b.next_on >= h.m0)
    GROUP BY 1, 2, 3
), wide AS (
    SELECT m.name AS place, to_char(h.m0, 'YYYYMM') AS period, h.vaccine_code,
           sum(l.opening) AS opening, sum(coalesce(v.received, 0)) AS received, sum(coalesce(v.opened, 0)) AS opened,
           sum(coalesce(v.discarded, 0)) AS discarded, sum(coalesce(v.issued, 0)) AS issued,
           sum(coalesce(v.adjusted, 0)) AS adjusted, sum(l.closing) AS closing, max(l.out_days) AS out_days
    FROM holding h
    JOIN level l ON l.m0 = h.m0 AND l.facility_id = h.facility_id AND l.vaccine_code = h.vaccine_code
    JOIN ref.municipality m ON m.municipality_id = h.municipality_id
    LEFT JOIN moved v ON v.facility_id = h.facility_id AND v.vaccine_code = h.vaccine_code AND v.m0 = h.m0
    GROUP BY 1, 2, 3
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       period, x.indicator, 'VAC_' || vaccine_code AS disaggregation, x.n::bigint AS value
FROM wide
CROSS JOIN LATERAL (VALUES ('STOCK_OPENING', opening), ('STOCK_RECEIVED', received), ('STOCK_OPENED', opened),
    ('STOCK_DISCARDED', discarded), ('STOCK_ISSUED_OUT', issued), ('STOCK_ADJUSTED', adjusted),
    ('STOCK_CLOSING', closing), ('STOCKOUT_DAYS', out_days)) x(indicator, n)
ORDER BY 1, 2, 3, 4;
