"""Keep what the overview shows in SQL tables, from the topics. All of it can be made again."""
