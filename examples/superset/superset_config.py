"""Settings of the demo's Superset; what is secret comes from the script."""
import os

SECRET_KEY = os.environ["DEMO_SECRET"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(os.environ["SUPERSET_HOME"], "superset.db")
# For the dataset that follows the chart's time grain.
FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}
