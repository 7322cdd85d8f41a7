-- Opens the short transaction that each of our questions is asked in. The
-- isolation is explicit because a default of serializable takes predicate locks
-- beside the application's writers and is an error on standbys.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
