"""What every area shares about the programme: who takes part, in which segment, until when."""
