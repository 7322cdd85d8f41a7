-- Begins the short transaction of one query. The isolation level is explicit because, as the default, serializable
-- would take predicate locks like those of the application's writers, and is an error on standbys.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
