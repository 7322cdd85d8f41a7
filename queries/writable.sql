-- A text, if the encoding of the database can represent it; otherwise an error.
SELECT :'text' AS text;
