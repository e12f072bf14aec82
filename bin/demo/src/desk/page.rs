//! The page around the list, which the script fills.

/// The whole page.
pub fn html(app_port: u16) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Enrolment desk · Pakawaaz demo</title><link rel=\"stylesheet\" href=\"/desk.css\">\
         <script src=\"/desk.js\" defer></script></head><body data-port=\"{app_port}\">\
         <header><h1>Enrolment desk</h1><p>Two administrators hand out phones here. Choose somebody, press \
         <b>Open phone</b>, and paste the card there. Open two phones and you are two people. Whoever is marked \
         <i>answers</i> writes back by itself. A filled circle is a phone on the network; <b>Suspend SIM</b> takes it \
         off and ends the login.</p><p id=\"data\" class=\"post\"></p>\
         <label for=\"q\">Find</label><input id=\"q\" type=\"search\" autocomplete=\"off\" \
         placeholder=\"name, post or ministry\"></header>\
         <p id=\"status\" role=\"status\" aria-live=\"polite\">Loading…</p>\
         <main><ul id=\"people\"></ul></main>\
         <dialog id=\"card\" aria-labelledby=\"card-title\"><h2 id=\"card-title\"></h2>\
         <p id=\"card-text\"></p><div id=\"card-body\"><img id=\"qr\" alt=\"Voucher as QR code\" width=\"240\" \
         height=\"240\"><label for=\"text\">Enrolment card</label><textarea id=\"text\" readonly rows=\"6\"></textarea>\
         </div><p class=\"actions\"><button id=\"copy\">Copy card</button> <a id=\"open\" class=\"button\" \
         target=\"_blank\" rel=\"noopener\">Copy and open phone</a> <button id=\"close\">Close</button></p></dialog>\
         <footer>This desk exists in the demo only. SIM cards are software here.</footer></body></html>"
    )
}
