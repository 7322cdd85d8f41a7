-- A text, if the encoding of the database can write it; else an error.
SELECT :'text' AS text;
