"""Which registered model becomes the champion."""
