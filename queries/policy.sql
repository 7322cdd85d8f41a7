CREATE POLICY softdelete_exporter ON :"schemaname".:"relname" FOR SELECT TO :"role" USING (true);
