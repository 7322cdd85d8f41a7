-- Makes the transaction usable again, so that the hypothetical index can be removed.
ROLLBACK TO SAVEPOINT trial;
