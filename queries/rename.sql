-- Renames without writing the current name, which no client may be able to write.
DO :'body';
