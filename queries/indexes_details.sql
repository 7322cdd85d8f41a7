-- What the catalogs contain about the given indexes, without a lock on their tables. A column is NULL if the key is
-- an expression; rest is the remaining definition of a key, without defaults.
SELECT i.indexrelid::int8 AS oid, am.amname::text AS method, i.indnkeyatts::int4 AS keys, k.columns, k.rest,
       i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR k.generated AS deparse,
       i.indisunique AS unique, i.indisprimary AS primary, i.indisexclusion AS exclusion,
       NOT i.indimmediate AS deferrable, i.nulls_not_distinct, i.indisreplident AS replica_identity
FROM (SELECT false AS indnullsnotdistinct) AS before_15 -- replaces the column in versions that lack it
CROSS JOIN LATERAL (
  SELECT x.*, indnullsnotdistinct AS nulls_not_distinct
  FROM pg_catalog.pg_index x
  WHERE x.indexrelid = ANY (:'indexes'::oid[])) AS i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = c.relam
-- One join for all keys: for each index by itself, all collations and operator classes would be read again.
JOIN (
  SELECT i.indexrelid, array_agg(a.attname::text ORDER BY u.n) AS columns,
         array_agg(concat_ws(' ',
           'COLLATE ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname),
           CASE WHEN NOT o.opcdefault OR x.attoptions IS NOT NULL
             THEN quote_ident(opn.nspname) || '.' || quote_ident(o.opcname) END,
           '(' || array_to_string(x.attoptions, ', ') || ')',
           (ARRAY['DESC NULLS LAST', 'NULLS FIRST', 'DESC'])[i.indoption[u.n - 1]]) ORDER BY u.n) AS rest,
         coalesce(bool_or(a.attgenerated <> ''), false) AS generated
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (attnum, n)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum AND u.attnum <> 0
  LEFT JOIN pg_catalog.pg_attribute x ON x.attrelid = i.indexrelid AND x.attnum = u.n
  LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[u.n - 1]
  LEFT JOIN pg_catalog.pg_namespace opn ON opn.oid = o.opcnamespace
  LEFT JOIN pg_catalog.pg_collation co
    ON co.oid = i.indcollation[u.n - 1] AND co.oid <> coalesce(a.attcollation, 100) -- 100: the default
  LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
  WHERE i.indexrelid = ANY (:'indexes'::oid[])
  GROUP BY i.indexrelid) AS k ON k.indexrelid = i.indexrelid;
