-- Makes the transaction usable again, so that it can still forget its index.
ROLLBACK TO SAVEPOINT trial;
