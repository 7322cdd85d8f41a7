-- What fails after this can be undone without ending the transaction.
SAVEPOINT trial;
