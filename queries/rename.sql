-- Renames without writing the name, which no client may be able to write.
DO :'body';
