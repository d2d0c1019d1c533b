"""The platform of the GENIAC secretariat. Core code; only `definitions` and `cli` see all of it."""
