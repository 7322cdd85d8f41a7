-- What the given blocks of one relation hold. The shape matters: it makes a Tid Range
-- Scan of each block; a plain join reads the whole relation.
SELECT b AS block, x.*
FROM unnest(:'blocks'::int8[]) AS b, LATERAL (
  SELECT count(*) AS total,
         count(*) FILTER (WHERE :deleted) AS deleted,
         count(*) FILTER (WHERE :old) AS old,
         :observed
  FROM ONLY :"schemaname".:"relname"
  WHERE ctid >= pg_catalog.format('(%s,0)', b)::tid AND ctid < pg_catalog.format('(%s,0)', b + 1)::tid) AS x;
