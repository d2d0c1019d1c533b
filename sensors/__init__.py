"""What decides when: schedules, and sensors on arrivals, failures and the outbox."""
