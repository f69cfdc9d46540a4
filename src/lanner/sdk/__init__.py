"""What plugin authors import (by way of `lanner`), and what every host does with a plugin class. Knows nothing of any host. Private: import `lanner`."""
