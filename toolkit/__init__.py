"""kaggle2app: turn something on Kaggle into a trained, tested, served application."""
