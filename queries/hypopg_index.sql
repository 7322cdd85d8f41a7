-- An index as hypopg wants it described.
:create INDEX ON :"schemaname".:"relname" USING :method (:keys):including:where
