-- The value of a constant expression, as PostgreSQL writes it in this type. A text that is cut off cannot be a
-- marker's value.
SELECT left(CAST((:expression) AS :type)::text, 100) AS value;
