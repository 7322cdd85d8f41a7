GRANT USAGE ON SCHEMA :"schemaname" TO :"role";
