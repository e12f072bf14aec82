/**
 * What a refusal or an alarm says, in both languages. First what happened, then what to do (STYLE.md, "Words users
 * see"). Both languages stand side by side here, and not in the catalogues, because the codes are the keys and
 * `messages.test.ts` compares them with the Rust sources.
 */

export interface Sentence {
  en: string;
  ur: string;
}

type Entry = [codes: string, en: string, ur: string];

const ERRORS: Entry[] = [
  // --- Voucher, card, enrolment
  [
    "identity.voucher_invalid engine.wrong_voucher",
    "This voucher is not valid for this step. Ask your administrator for a new one.",
    "یہ واؤچر اس مرحلے کے لیے درست نہیں۔ اپنے ایڈمنسٹریٹر سے نیا واؤچر لیں۔",
  ],
  [
    "identity.voucher_used",
    "This voucher was used already. If it was not you, tell your administrator at once.",
    "یہ واؤچر پہلے استعمال ہو چکا ہے۔ اگر آپ نے استعمال نہیں کیا تو فوراً اپنے ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "engine.bad_card",
    "This is no enrolment card and no SIM file. Check that the whole text was copied.",
    "یہ اندراج کارڈ یا سم فائل نہیں ہے۔ دیکھ لیں کہ پورا متن نقل ہوا ہے۔",
  ],
  [
    "identity.sim_unavailable",
    "The server does not know this SIM, or it may not be used. Ask your administrator.",
    "سرور اس سم کو نہیں پہچانتا یا اس کے استعمال کی اجازت نہیں۔ اپنے ایڈمنسٹریٹر سے پوچھیں۔",
  ],
  [
    "identity.sim_taken",
    "This SIM belongs to another official. Check that it is the one you were given.",
    "یہ سم کسی اور افسر کے نام پر ہے۔ دیکھ لیں کہ یہ وہی سم ہے جو آپ کو دی گئی تھی۔",
  ],
  [
    "identity.enrolment_invalid",
    "The server did not accept the enrolment. Start again; if it goes on, ask your administrator for a new voucher.",
    "سرور نے اندراج قبول نہیں کیا۔ دوبارہ شروع کریں؛ اگر پھر بھی نہ ہو تو اپنے ایڈمنسٹریٹر سے نیا واؤچر لیں۔",
  ],
  [
    "client.already_enrolled",
    "This browser is enrolled already. Unlock it with your PIN.",
    "اس براؤزر کا اندراج پہلے ہی ہو چکا ہے۔ اپنے پن سے کھولیں۔",
  ],
  ["client.not_enrolled", "This browser is not enrolled yet.", "اس براؤزر کا ابھی اندراج نہیں ہوا۔"],
  ["client.weak_pin", "The PIN is too short. Use at least six digits.", "پن بہت چھوٹا ہے۔ کم از کم چھ ہندسے رکھیں۔"],
  // --- Unlocking and logging in
  ["client.wrong_pin", "The PIN is wrong.", "پن غلط ہے۔"],
  ["client.locked", "The profile is locked. Enter your PIN.", "پروفائل مقفل ہے۔ اپنا پن درج کریں۔"],
  [
    "identity.wrong_password",
    "The password was not accepted. Check it and try again.",
    "پاس ورڈ قبول نہیں ہوا۔ دیکھ کر دوبارہ درج کریں۔",
  ],
  [
    "identity.login_failed",
    "The password, SIM or device was not accepted. Check the password and try again.",
    "پاس ورڈ، سم یا آلہ قبول نہیں ہوا۔ پاس ورڈ دیکھ کر دوبارہ کوشش کریں۔",
  ],
  [
    "identity.sim_rejected",
    "The server did not accept the SIM. Try again; if it goes on, ask your administrator to check the SIM.",
    "سرور نے سم قبول نہیں کی۔ دوبارہ کوشش کریں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر سے سم کی جانچ کروائیں۔",
  ],
  [
    "client.sim usim.mac_failure usim.refused usim.malformed usim.unavailable",
    "The SIM did not accept the server's question. Try again now; if it goes on, ask your administrator to check the SIM.",
    "سم نے سرور کا سوال قبول نہیں کیا۔ ابھی دوبارہ کوشش کریں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر سے سم کی جانچ کروائیں۔",
  ],
  [
    "engine.no_sim",
    "There is no SIM in this profile. Enrol this browser again with a card that has one.",
    "اس پروفائل میں سم نہیں ہے۔ سم والے کارڈ سے اس براؤزر کا دوبارہ اندراج کریں۔",
  ],
  [
    "client.login_protocol",
    "The login could not be completed, or the server could not prove itself. Try again; if it goes on, tell your administrator.",
    "لاگ اِن مکمل نہ ہو سکا یا سرور اپنی شناخت ثابت نہ کر سکا۔ دوبارہ کوشش کریں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "identity.wrong_connection",
    "The login came over another connection than it was made for, and was refused. Check the address of this page.",
    "لاگ اِن کسی اور کنکشن سے آیا اس لیے رد کر دیا گیا۔ اس صفحے کا پتہ دیکھ لیں۔",
  ],
  [
    "identity.suspended",
    "Your account, this device or its SIM is suspended for now. Nothing here is lost. Ask your administrator; once it is lifted, log in again.",
    "آپ کا اکاؤنٹ، یہ آلہ یا اس کی سم فی الحال معطل ہے۔ یہاں کچھ ضائع نہیں ہوا۔ اپنے ایڈمنسٹریٹر سے پوچھیں؛ بحالی کے بعد دوبارہ لاگ اِن کریں۔",
  ],
  [
    "identity.device_not_active",
    "This device, its SIM or your account was revoked, or the device is not approved yet. Ask your administrator.",
    "یہ آلہ، اس کی سم یا آپ کا اکاؤنٹ منسوخ ہو چکا ہے، یا آلے کی ابھی منظوری نہیں ہوئی۔ اپنے ایڈمنسٹریٹر سے پوچھیں۔",
  ],
  [
    "messaging.device_not_active client.not_approved",
    "This device is not approved yet. Compare the code on a device that you already use.",
    "اس آلے کی ابھی منظوری نہیں ہوئی۔ جو آلہ آپ پہلے سے استعمال کر رہے ہیں اس پر کوڈ ملائیں۔",
  ],
  [
    "identity.back_off",
    "Too many failed attempts. Wait before the next one.",
    "ناکام کوششیں بہت زیادہ ہو گئیں۔ اگلی کوشش سے پہلے انتظار کریں۔",
  ],
  ["identity.attempt_expired", "It took too long. Start again.", "بہت دیر ہو گئی۔ دوبارہ شروع کریں۔"],
  [
    "identity.session_ended identity.token_invalid client.login_required",
    "Your session has ended. Log in again; what you wrote is kept.",
    "آپ کا سیشن ختم ہو گیا ہے۔ دوبارہ لاگ اِن کریں؛ جو آپ نے لکھا وہ محفوظ ہے۔",
  ],
  [
    "identity.login_too_old",
    "This needs a fresh login. Log in again and repeat it within five minutes.",
    "اس کے لیے تازہ لاگ اِن ضروری ہے۔ دوبارہ لاگ اِن کر کے پانچ منٹ کے اندر یہ کام کریں۔",
  ],
  [
    "identity.clock_skew",
    "The clock of this device is wrong. Set its date and time, then try again.",
    "اس آلے کی گھڑی غلط ہے۔ تاریخ اور وقت درست کر کے دوبارہ کوشش کریں۔",
  ],
  // --- Rights and things that are gone
  [
    "identity.forbidden directory.forbidden http.role_required",
    "You do not hold the role that this needs.",
    "اس کام کے لیے جو اختیار درکار ہے وہ آپ کے پاس نہیں۔",
  ],
  ["identity.not_found engine.not_found http.no_such_route", "It is not there any more.", "یہ اب موجود نہیں۔"],
  [
    "identity.conflict storage.conflict",
    "It was changed at the same moment. Look again and repeat.",
    "اسی لمحے اس میں تبدیلی ہوئی۔ دوبارہ دیکھ کر کوشش کریں۔",
  ],
  ["directory.unit_not_found", "There is no such unit any more.", "یہ شعبہ اب موجود نہیں۔"],
  ["directory.post_not_found", "There is no such post any more.", "یہ عہدہ اب موجود نہیں۔"],
  ["directory.official_not_found", "There is no such official any more.", "یہ افسر اب موجود نہیں۔"],
  [
    "directory.bad_cursor client.bad_cursor",
    "The list has changed. Search again.",
    "فہرست بدل گئی ہے۔ دوبارہ تلاش کریں۔",
  ],
  // --- Devices
  [
    "client.code_mismatch",
    "The codes differ. Do not approve this device: it may be somebody else's.",
    "کوڈ ایک جیسے نہیں۔ اس آلے کی منظوری نہ دیں: ہو سکتا ہے یہ کسی اور کا ہو۔",
  ],
  ["client.no_such_device", "There is no such device any more.", "یہ آلہ اب موجود نہیں۔"],
  [
    "messaging.device_cut",
    "This device has been cut off. What is stored here can still be deleted.",
    "یہ آلہ منقطع کر دیا گیا ہے۔ یہاں محفوظ مواد اب بھی حذف کیا جا سکتا ہے۔",
  ],
  // --- Conversations
  [
    "client.no_such_conversation messaging.group_not_found",
    "There is no such conversation on this device.",
    "اس آلے پر یہ گفتگو موجود نہیں۔",
  ],
  [
    "client.not_member messaging.not_member",
    "You are no longer a member of this conversation.",
    "آپ اب اس گفتگو کے رکن نہیں۔",
  ],
  [
    "client.no_device",
    "An official has no device yet that can be added. Try again once they have enrolled.",
    "ایک افسر کے پاس ابھی کوئی ایسا آلہ نہیں جو شامل ہو سکے۔ ان کے اندراج کے بعد دوبارہ کوشش کریں۔",
  ],
  ["client.no_such_message", "There is no such message on this device.", "اس آلے پر یہ پیغام موجود نہیں۔"],
  ["client.not_author", "Only its author can change a message.", "پیغام صرف اس کا لکھنے والا بدل سکتا ہے۔"],
  ["client.bad_reaction", "This cannot stand under a message.", "یہ پیغام کے نیچے نہیں لگ سکتا۔"],
  [
    "client.direct_stays",
    "A conversation of two cannot be left. You can archive or mute it.",
    "دو افراد کی گفتگو چھوڑی نہیں جا سکتی۔ آپ اسے محفوظ خانے میں رکھ سکتے یا خاموش کر سکتے ہیں۔",
  ],
  [
    "client.too_long messaging.too_large conversation.content_too_large http.too_large",
    "The message is too long. Send it in parts.",
    "پیغام بہت لمبا ہے۔ حصوں میں بھیجیں۔",
  ],
  [
    "client.nobody_else",
    "A conversation needs at least one other official.",
    "گفتگو کے لیے کم از کم ایک اور افسر درکار ہے۔",
  ],
  [
    "messaging.epoch_conflict messaging.duplicate",
    "Somebody changed the group at the same moment. Your message is sent again by itself.",
    "اسی لمحے کسی نے گروپ میں تبدیلی کی۔ آپ کا پیغام خود بخود دوبارہ جائے گا۔",
  ],
  [
    "messaging.group_closed messaging.no_successor",
    "This conversation was closed and goes on in a new one.",
    "یہ گفتگو بند ہو چکی ہے اور ایک نئی گفتگو میں جاری ہے۔",
  ],
  ["messaging.group_exists", "This conversation exists already.", "یہ گفتگو پہلے سے موجود ہے۔"],
  [
    "messaging.too_many_groups",
    "You have created as many conversations as this server allows.",
    "آپ اتنی گفتگوئیں بنا چکے ہیں جتنی یہ سرور اجازت دیتا ہے۔",
  ],
  [
    "conversation.too_many_members",
    "The group has as many members as a group can have.",
    "گروپ میں ارکان کی تعداد پوری ہو چکی ہے۔",
  ],
  [
    "client.mls messaging.bad_commit messaging.bad_message messaging.bad_group_info messaging.bad_welcome messaging.bad_key_package messaging.bad_rejection messaging.too_many_key_packages messaging.tree_not_found messaging.state_damaged conversation.not_allowed",
    "The encryption of this conversation is being repaired. Try again in a moment; if it goes on, tell your administrator.",
    "اس گفتگو کی خفیہ کاری درست کی جا رہی ہے۔ تھوڑی دیر میں دوبارہ کوشش کریں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر کو بتائیں۔",
  ],
  // --- Files
  [
    "files.not_found",
    "The file is no longer on the server. Ask for it to be sent again.",
    "فائل اب سرور پر نہیں ہے۔ دوبارہ بھیجنے کو کہیں۔",
  ],
  [
    "files.bad_size files.too_large",
    "The file is larger than this server takes.",
    "فائل اس سے بڑی ہے جتنی یہ سرور قبول کرتا ہے۔",
  ],
  [
    "files.quota",
    "The file does not fit into your storage on the server. Cancel uploads that are not needed, or wait until old files expire.",
    "سرور پر آپ کی جگہ میں یہ فائل نہیں سما سکتی۔ غیر ضروری اپ لوڈ منسوخ کریں یا پرانی فائلوں کی مدت ختم ہونے کا انتظار کریں۔",
  ],
  [
    "engine.other_file",
    "This is another file. Choose the one that was being sent.",
    "یہ کوئی اور فائل ہے۔ وہی فائل چنیں جو بھیجی جا رہی تھی۔",
  ],
  [
    "files.too_many_uploads",
    "Too many uploads are open. Finish or cancel one first.",
    "بہت سے اپ لوڈ کھلے ہیں۔ پہلے کوئی ایک مکمل یا منسوخ کریں۔",
  ],
  [
    "files.busy files.blobs files.body",
    "The server could not take the file just now. It goes on by itself.",
    "سرور ابھی فائل نہیں لے سکا۔ کام خود بخود جاری رہے گا۔",
  ],
  [
    "files.bad_access_hash files.bad_chunk files.chunk_differs files.complete files.incomplete files.already_announced",
    "The upload got out of step. Cancel it and send the file again.",
    "اپ لوڈ کا تسلسل ٹوٹ گیا۔ اسے منسوخ کر کے فائل دوبارہ بھیجیں۔",
  ],
  [
    "files.damaged file_stream.not_authentic file_stream.wrong_length file_stream.bad_shape",
    "The file arrived damaged and was not opened. Ask for it to be sent again.",
    "فائل خراب حالت میں پہنچی اس لیے کھولی نہیں گئی۔ دوبارہ بھیجنے کو کہیں۔",
  ],
  // --- Network and server
  [
    "client.unreachable client.connection_broken client.timed_out",
    "No connection to the server. Check the network; what you wrote is kept.",
    "سرور سے رابطہ نہیں۔ نیٹ ورک دیکھ لیں؛ جو آپ نے لکھا وہ محفوظ ہے۔",
  ],
  [
    "client.untrusted_server trust.untrusted_chain trust.unknown_signer trust.bad_signature trust.missing_signature trust.no_quorum trust.mismatch trust.wrong_statement trust.bad_key trust.bad_profile",
    "The server could not prove who it is, so nothing was sent. Check the address and tell your administrator.",
    "سرور اپنی شناخت ثابت نہ کر سکا، اس لیے کچھ نہیں بھیجا گیا۔ پتہ دیکھیں اور اپنے ایڈمنسٹریٹر کو بتائیں۔",
  ],
  ["trust.wrong_realm", "This belongs to another organisation's server.", "یہ کسی دوسرے ادارے کے سرور کا ہے۔"],
  [
    "trust.not_valid_now",
    "This is not valid at this time. Check the date of this device, or ask your administrator for a new voucher.",
    "یہ اس وقت درست نہیں۔ اس آلے کی تاریخ دیکھیں یا ایڈمنسٹریٹر سے نیا واؤچر لیں۔",
  ],
  [
    "trust.malformed trust.too_large",
    "The text is damaged or not complete. Copy it again, whole.",
    "متن خراب یا نامکمل ہے۔ اسے دوبارہ پورا نقل کریں۔",
  ],
  [
    "client.wrong_version identity.version",
    "This app and the server are of different versions. Reload the page.",
    "یہ ایپ اور سرور مختلف نسخے کے ہیں۔ صفحہ دوبارہ کھولیں۔",
  ],
  [
    "http.throttled client.store_busy",
    "Too much at once. Wait a moment and try again.",
    "ایک ساتھ بہت کچھ ہو گیا۔ تھوڑا انتظار کر کے دوبارہ کوشش کریں۔",
  ],
  [
    "identity.busy http.shutting_down http.timeout http.too_many_sockets identity.revocations_stale messaging.dependency_unavailable storage.unavailable storage.disk_full http.panic storage.internal identity.vault identity.vault_unavailable",
    "The server cannot do this at the moment. Try again in a minute.",
    "سرور اس وقت یہ کام نہیں کر سکتا۔ ایک منٹ میں دوبارہ کوشش کریں۔",
  ],
  [
    "client.refused client.bad_answer identity.malformed identity.damaged storage.corrupt storage.duplicate",
    "The server's answer makes no sense. Reload the page; if it goes on, tell your administrator.",
    "سرور کا جواب سمجھ میں نہیں آیا۔ صفحہ دوبارہ کھولیں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر کو بتائیں۔",
  ],
  // --- This browser
  [
    "client.store_full",
    "This browser has no space left. Free some space on the device; nothing was lost.",
    "اس براؤزر میں جگہ نہیں رہی۔ آلے پر کچھ جگہ خالی کریں؛ کچھ ضائع نہیں ہوا۔",
  ],
  [
    "client.store_failed client.damaged",
    "What is stored in this browser could not be read. Reload the page; if it goes on, enrol this browser again.",
    "اس براؤزر میں محفوظ مواد پڑھا نہ جا سکا۔ صفحہ دوبارہ کھولیں؛ اگر پھر بھی نہ ہو تو براؤزر کا دوبارہ اندراج کریں۔",
  ],
  [
    "engine.not_loaded engine.failed engine.restarted",
    "The app had to start again in the middle of it. Look whether it was done, and repeat it if not.",
    "ایپ کو درمیان میں دوبارہ شروع ہونا پڑا۔ دیکھ لیں کہ کام ہوا یا نہیں، نہ ہوا ہو تو دوبارہ کریں۔",
  ],
  ["engine.cancelled", "It was cancelled.", "اسے منسوخ کر دیا گیا۔"],
  [
    "engine.unsupported",
    "This browser lacks something that the app needs. Use a current Chrome, Edge, Firefox or Safari.",
    "اس براؤزر میں وہ چیز نہیں جو ایپ کو درکار ہے۔ Chrome، Edge، Firefox یا Safari کا تازہ نسخہ استعمال کریں۔",
  ],
  [
    "engine.bad_arguments engine.unknown_command engine.unknown_topic engine.no_subscription",
    "The parts of this app do not fit together. Reload the page.",
    "اس ایپ کے حصے آپس میں میل نہیں کھاتے۔ صفحہ دوبارہ کھولیں۔",
  ],
];

/** Codes of the sources below that nobody meets in the app. The test keeps this list honest. */
export const NOT_IN_THE_APP: Record<string, string> = {
  "identity.sim_row": "import of SIM batches, console only",
  "identity.not_set_up": "making of SIMs, console only",
  "identity.concealed": "between the cellular core and the home network",
  "identity.akma_unknown":
    "between a phone's key and the login; the card answers instead, and a browser has no such key",
  "identity.proposal_invalid": "administration, console only",
  "identity.second_administrator_needed": "administration, console only",
  "identity.last_administrators": "administration, console only",
  "directory.kind_must_descend": "administration, console only",
  "directory.unit_exists": "administration, console only",
  "directory.bad_name": "administration, console only",
  "directory.bad_username": "administration, console only",
  "directory.bad_grade": "administration, console only",
  "directory.username_taken": "administration, console only",
};

const ALARMS: Entry[] = [
  [
    "log_gap",
    "The server left out part of this conversation. Ask the other members what is missing, and tell your administrator.",
    "سرور نے اس گفتگو کا کچھ حصہ نہیں دیا۔ دوسرے ارکان سے پوچھیں کہ کیا رہ گیا ہے اور ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "log_reordered",
    "The server changed the order or content of this conversation. Do not rely on it; tell your administrator.",
    "سرور نے اس گفتگو کی ترتیب یا مواد بدل دیا۔ اس پر بھروسا نہ کریں؛ ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "log_replayed",
    "The server delivered an old message again as if it were new. It was not shown.",
    "سرور نے ایک پرانا پیغام نیا بنا کر دوبارہ بھیجا۔ اسے دکھایا نہیں گیا۔",
  ],
  [
    "log_forked",
    "The server shows another member a different history of this conversation. Compare by telephone, and tell your administrator.",
    "سرور کسی دوسرے رکن کو اس گفتگو کی مختلف تاریخ دکھا رہا ہے۔ فون پر ملا لیں اور ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "commit_withheld",
    "The server keeps back a change of this conversation's members. Tell your administrator.",
    "سرور اس گفتگو کے ارکان کی ایک تبدیلی روکے ہوئے ہے۔ ایڈمنسٹریٹر کو بتائیں۔",
  ],
  [
    "key_package_swapped",
    "The server gave a wrong encryption key for a device. Nothing was sent to it.",
    "سرور نے ایک آلے کی غلط خفیہ کلید دی۔ اسے کچھ نہیں بھیجا گیا۔",
  ],
  [
    "device_without_evidence",
    "The server shows a device that its official never approved. It was refused.",
    "سرور ایک ایسا آلہ دکھا رہا ہے جس کی افسر نے کبھی منظوری نہیں دی۔ اسے رد کر دیا گیا۔",
  ],
  [
    "removal_without_statement",
    "The server tried to remove a device without a signed order. It was refused.",
    "سرور نے دستخط شدہ حکم کے بغیر ایک آلہ ہٹانے کی کوشش کی۔ اسے رد کر دیا گیا۔",
  ],
  [
    "removed_member_spoke",
    "A device that is no longer a member sent a message. It was not shown.",
    "ایک آلے نے پیغام بھیجا جو اب رکن نہیں ہے۔ اسے دکھایا نہیں گیا۔",
  ],
  [
    "wrong_sender",
    "A message claims another author than its real sender. It was not shown.",
    "ایک پیغام اپنے اصل بھیجنے والے کے بجائے کسی اور کا نام بتاتا ہے۔ اسے دکھایا نہیں گیا۔",
  ],
  [
    "wrong_rejoin",
    "A device tried to take another device's place. It was refused.",
    "ایک آلے نے دوسرے آلے کی جگہ لینے کی کوشش کی۔ اسے رد کر دیا گیا۔",
  ],
  [
    "poisoned_commit",
    "A member sent a change that cannot be applied. It was rejected.",
    "ایک رکن نے ایسی تبدیلی بھیجی جو لاگو نہیں ہو سکتی۔ اسے رد کر دیا گیا۔",
  ],
  [
    "key_changed",
    "A member's device key changed. Compare the code with them in person or by telephone before you write anything sensitive.",
    "ایک رکن کے آلے کی کلید بدل گئی ہے۔ کوئی حساس بات لکھنے سے پہلے ان سے مل کر یا فون پر کوڈ ملا لیں۔",
  ],
  [
    "garbage",
    "Something that is no message was delivered. It was ignored.",
    "ایسی چیز پہنچی جو پیغام نہیں ہے۔ اسے نظر انداز کر دیا گیا۔",
  ],
  [
    "closed_without_cause",
    "The server closed this conversation for a reason that this device cannot verify. Nobody was excluded.",
    "سرور نے یہ گفتگو ایسی وجہ سے بند کی جس کی یہ آلہ تصدیق نہیں کر سکتا۔ کسی کو خارج نہیں کیا گیا۔",
  ],
  [
    "commit_damaged",
    "A change of this conversation's members arrived damaged. Nobody was excluded because of it.",
    "اس گفتگو کے ارکان کی ایک تبدیلی خراب حالت میں پہنچی۔ اس وجہ سے کسی کو خارج نہیں کیا گیا۔",
  ],
  [
    "clock_moved",
    "The server's clock is not believable. Check the date on this device and tell your administrator.",
    "سرور کی گھڑی قابلِ اعتبار نہیں۔ اس آلے کی تاریخ دیکھیں اور ایڈمنسٹریٹر کو بتائیں۔",
  ],
];

const UNKNOWN_ERROR: Sentence = {
  en: "It did not work. Try again; if it goes on, tell your administrator this code:",
  ur: "کام نہیں ہو سکا۔ دوبارہ کوشش کریں؛ اگر پھر بھی نہ ہو تو ایڈمنسٹریٹر کو یہ کوڈ بتائیں:",
};

const UNKNOWN_ALARM: Sentence = {
  en: "Something in this conversation was not believed. Reload the page to see what.",
  ur: "اس گفتگو میں کسی چیز پر یقین نہیں کیا گیا۔ دیکھنے کے لیے صفحہ دوبارہ کھولیں۔",
};

function table(entries: Entry[]): Map<string, Sentence> {
  const all = new Map<string, Sentence>();
  for (const [codes, en, ur] of entries) for (const code of codes.split(" ")) all.set(code, { en, ur });
  return all;
}

export const errorSentences: ReadonlyMap<string, Sentence> = table(ERRORS);
export const alarmSentences: ReadonlyMap<string, Sentence> = table(ALARMS);

/** The sentence for a code of the server or the client core; an unknown code is shown with the general one. */
export function errorSentence(code: string, language: keyof Sentence): string {
  const known = errorSentences.get(code);
  // The marks keep the code left to right inside Urdu.
  return known ? known[language] : `${UNKNOWN_ERROR[language]} \u2066${code}\u2069`;
}

export function alarmSentence(kind: string, language: keyof Sentence): string {
  return (alarmSentences.get(kind) ?? UNKNOWN_ALARM)[language];
}
