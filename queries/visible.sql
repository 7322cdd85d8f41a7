-- Which of some relations hide no row from us: row-level security does not apply to us, or a policy
-- lets us read every row and none restricts that. Policies stay as they are while we hold a lock on
-- their table, so an answer holds for what was read before in the same transaction.
SELECT relation::int8 AS oid
FROM unnest(:'relations'::oid[]) AS relation
WHERE NOT row_security_active(relation) OR (
  SELECT COALESCE(bool_or(p.polpermissive
      AND p.polqual::text ~ E'^\\{CONST :consttype 16 .* :constisnull false .* :constvalue 1 \\[ 1 [0 ]*\\]\\}$'), false)
    AND COALESCE(bool_and(p.polpermissive), true)
  FROM pg_catalog.pg_policy p
  WHERE p.polrelid = relation AND p.polcmd IN ('r', '*')
    AND (0 = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) AS role WHERE pg_has_role(role, 'USAGE'))));
