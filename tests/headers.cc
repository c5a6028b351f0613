// Nothing but the headers that are compiled ahead for all tests.
