"""The command `lanner`. `main` is the way in; what the commands do is the framework's, the rules' and the outputs' matter."""
