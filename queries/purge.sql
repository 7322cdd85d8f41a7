-- Removes one batch of the rows of one relation that are past retention. Each row is
-- locked when it is found, so that none is removed that was restored in between; rows
-- that somebody else holds are left for a later batch.
DELETE FROM ONLY :target WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM ONLY :target
  WHERE :old:order
  LIMIT :batch FOR UPDATE SKIP LOCKED));
