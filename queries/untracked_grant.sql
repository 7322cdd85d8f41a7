GRANT SET ON PARAMETER pg_stat_statements.track TO :"role";
