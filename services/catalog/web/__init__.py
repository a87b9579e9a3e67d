"""The catalogue over HTTP: thin routes, and what every answer has in common."""
