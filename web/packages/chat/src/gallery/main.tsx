import "@pakawaaz/ui/styles.css";
