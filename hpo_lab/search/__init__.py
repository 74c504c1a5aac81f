"""Search: which assignment a trial gets, as a pure function of the trials before it."""
