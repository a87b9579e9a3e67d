"""Edge: a shared HTTP cache before the application that hears invalidations: what it is told, and how."""
