"""Small applications as people write them today, against the original packages."""
