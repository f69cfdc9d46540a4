"""What plugin authors import (by way of `lanner`), and what every host does with a plugin class. Private: import `lanner`."""
