-- Counts the rows of each of the given blocks. The form of the query matters: PostgreSQL plans it as a Tid Range Scan
-- of each block, while a plain join would read the whole relation.
SELECT b AS block, x.*
FROM unnest(:'blocks'::int8[]) AS b, LATERAL (
  SELECT count(*) AS total,
         count(*) FILTER (WHERE :deleted) AS deleted,
         count(*) FILTER (WHERE :old) AS old,
         (:oldest)::float8 AS oldest,
         :since AS since,
         :observed
  FROM ONLY :"schemaname".:"relname"
  WHERE ctid >= pg_catalog.format('(%s,0)', b)::tid AND ctid < pg_catalog.format('(%s,0)', b + 1)::tid) AS x;
