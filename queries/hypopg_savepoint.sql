-- Lets an error be undone without ending the transaction.
SAVEPOINT trial;
