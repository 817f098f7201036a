"""The project's own tests: they hold for whatever model lies in model/."""
