-- What a constant expression is, as PostgreSQL writes a value of that type. Longer texts
-- mark no rows.
SELECT left(CAST((:expression) AS :type)::text, 100) AS value;
