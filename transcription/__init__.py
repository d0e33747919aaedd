"""The verbs of Stenocast: pure functions over the nouns, and the pipeline that acts only through its ports."""
