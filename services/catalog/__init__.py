"""The service under test: a shop's catalogue as a Flask application, cached by `tocsin`."""
