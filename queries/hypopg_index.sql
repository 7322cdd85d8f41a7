-- The definition of an index in the form that hypopg expects.
:create INDEX ON :"schemaname".:"relname" USING :method (:keys):including:where
