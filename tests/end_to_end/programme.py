"""A small sample programme, run once a session: a closing, then a night, then the same night."""
