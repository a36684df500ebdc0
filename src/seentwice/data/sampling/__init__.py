"""Which pairs make a table: counted and drawn without listing them."""
