"""`lanner top`: a live view of an alert store on a terminal. Needs the extra `lanner[top]` (Textual). Private."""
