-- Those of the given columns that the role may not read.
SELECT a.attrelid::int8 AS relation, a.attname::text AS column
FROM unnest(:'relations'::oid[], :'attnames'::text[]) AS wanted (relation, attname)
JOIN pg_catalog.pg_attribute a ON a.attrelid = wanted.relation AND a.attname = wanted.attname AND NOT a.attisdropped
WHERE NOT has_column_privilege(a.attrelid, a.attnum, 'SELECT');
