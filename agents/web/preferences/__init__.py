"""Let an organisation set its templates and choices, with a preview of what they say."""
