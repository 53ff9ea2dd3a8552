/*
 * A SIPE client without a window: libpurple and its plugin prpl-sipe, driven by lines on standard input.
 *
 *   sipe_peer DIRECTORY USER@DOMAIN DOMAIN\ACCOUNT PASSWORD HOST:PORT
 *
 * With DIRECTORY alone it only looks whether the plugin is there; the exit status is 3 when it is not.
 *
 * DIRECTORY takes libpurple's files. Debug messages go to standard error, events as lines to standard output:
 *
 *   connecting                   the account begins to sign in
 *   signed-on                    the account is registered
 *   signed-off                   the account is not registered any more
 *   error REASON TEXT            the connection ended; REASON is libpurple's number
 *   im WHO TEXT                  an instant message came
 *   conversation WHO             a conversation window would open
 *   typing WHO, idle WHO         the other side types, or stopped
 *   notice WHO TEXT              what the plugin writes into a conversation besides messages
 *   alert TEXT                   what the plugin shows in a dialog
 *
 * Commands: `im WHO TEXT`, `typing WHO`, `idle WHO`, `close WHO`, `sign-out`, `quit`. WHO is a URI: `sip:bob@contoso.com`.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <libxml/parser.h>
#include <purple.h>

static GMainLoop *loop;
static PurpleAccount *account;

/* One event, always one line. */
static void tell(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_strdelimit(line, "\r\n", ' ');
	puts(line);
	fflush(stdout);
	g_free(line);
}

/*
 * The plugin reads XML with SAX1 callbacks in a handler that is marked as SAX2. libxml2 as packaged in
 * Debian 12 calls only the SAX2 callbacks of such a handler, so every document seems empty to the plugin. This definition comes before that of the library: it takes the mark off.
 */
int xmlSAXUserParseMemory(xmlSAXHandlerPtr handler, void *data, const char *text, int size)
{
	int (*parse)(xmlSAXHandlerPtr, void *, const char *, int) = dlsym(RTLD_NEXT, "xmlSAXUserParseMemory");
	xmlSAXHandler plain = *handler;
	plain.initialized = 1;
	return parse(&plain, data, text, size);
}

/* The event loop that libpurple asks for, over GLib. */

struct watch {
	PurpleInputFunction function;
	gpointer data;
};

static gboolean on_ready(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	struct watch *watch = data;
	int what = 0;
	if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		what |= PURPLE_INPUT_READ;
	if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
		what |= PURPLE_INPUT_WRITE;
	watch->function(watch->data, g_io_channel_unix_get_fd(channel), what);
	return TRUE;
}

static guint add_input(int fd, PurpleInputCondition condition, PurpleInputFunction function, gpointer data)
{
	struct watch *watch = g_new0(struct watch, 1);
	watch->function = function;
	watch->data = data;
	GIOCondition wanted = 0;
	if (condition & PURPLE_INPUT_READ)
		wanted |= G_IO_IN | G_IO_HUP | G_IO_ERR;
	if (condition & PURPLE_INPUT_WRITE)
		wanted |= G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL;
	GIOChannel *channel = g_io_channel_unix_new(fd);
	guint id = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, wanted, on_ready, watch, g_free);
	g_io_channel_unref(channel);
	return id;
}

static PurpleEventLoopUiOps event_loop_ops = {
	.timeout_add = g_timeout_add,
	.timeout_remove = g_source_remove,
	.input_add = add_input,
	.input_remove = g_source_remove,
	.timeout_add_seconds = g_timeout_add_seconds,
};

/* What the plugin says. */

static void write_conversation(PurpleConversation *conversation, const char *name, const char *alias,
			       const char *message, PurpleMessageFlags flags, time_t when)
{
	(void)name, (void)alias, (void)when;
	if (flags & (PURPLE_MESSAGE_SYSTEM | PURPLE_MESSAGE_ERROR)) {
		char *text = purple_markup_strip_html(message);
		tell("notice %s %s", purple_conversation_get_name(conversation), text);
		g_free(text);
	}
}

static void create_conversation(PurpleConversation *conversation)
{
	tell("conversation %s", purple_conversation_get_name(conversation));
}

static PurpleConversationUiOps conversation_ops = {
	.create_conversation = create_conversation,
	.write_conv = write_conversation,
};

static void print_debug(PurpleDebugLevel level, const char *category, const char *text)
{
	(void)level;
	fprintf(stderr, "%s: %s", category ? category : "", text);
}

static gboolean is_debug_wanted(PurpleDebugLevel level, const char *category)
{
	(void)level;
	return category && !strcmp(category, "sipe");
}

static PurpleDebugUiOps debug_ops = {
	.print = print_debug,
	.is_enabled = is_debug_wanted,
};

static void *show_message(PurpleNotifyMsgType type, const char *title, const char *primary, const char *secondary)
{
	(void)type;
	tell("alert %s: %s %s", title ? title : "", primary ? primary : "", secondary ? secondary : "");
	return NULL;
}

static PurpleNotifyUiOps notify_ops = {
	.notify_message = show_message,
};

static void report_disconnect(PurpleConnection *connection, PurpleConnectionError reason, const char *text)
{
	(void)connection;
	tell("error %d %s", reason, text);
}

static void connect_progress(PurpleConnection *connection, const char *text, size_t step, size_t steps)
{
	(void)connection, (void)text, (void)steps;
	if (step <= 1)
		tell("connecting");
}

static PurpleConnectionUiOps connection_ops = {
	.connect_progress = connect_progress,
	.report_disconnect_reason = report_disconnect,
};

static void on_signed_on(PurpleConnection *connection, gpointer data)
{
	(void)connection, (void)data;
	tell("signed-on");
}

static void on_signed_off(PurpleConnection *connection, gpointer data)
{
	(void)connection, (void)data;
	tell("signed-off");
}

static void on_im(PurpleAccount *to, char *sender, char *message, PurpleConversation *conversation,
		  PurpleMessageFlags flags, gpointer data)
{
	(void)to, (void)conversation, (void)flags, (void)data;
	char *text = purple_markup_strip_html(message);
	tell("im %s %s", sender, text);
	g_free(text);
}

static void on_typing(PurpleAccount *to, const char *name, gpointer data)
{
	(void)to;
	tell("%s %s", (const char *)data, name);
}

/* Commands. */

static PurpleConversation *conversation_with(const char *who, gboolean create)
{
	PurpleConversation *found = purple_find_conversation_with_account(PURPLE_CONV_TYPE_IM, who, account);
	return found || !create ? found : purple_conversation_new(PURPLE_CONV_TYPE_IM, account, who);
}

static void set_typing(const char *who, PurpleTypingState state)
{
	PurpleConnection *connection = purple_account_get_connection(account);
	if (connection && who)
		serv_send_typing(connection, who, state);
}

static gboolean obey(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	(void)condition, (void)data;
	char *line = NULL;
	gsize end = 0;
	if (g_io_channel_read_line(channel, &line, NULL, &end, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(loop);
		return FALSE;
	}
	line[end] = '\0';
	char **words = g_strsplit(line, " ", 3);
	const char *command = words[0] ? words[0] : "";
	const char *who = words[0] ? words[1] : NULL;
	const char *text = who ? words[2] : NULL;
	if (!strcmp(command, "im") && text) {
		char *html = g_markup_escape_text(text, -1);
		purple_conv_im_send(PURPLE_CONV_IM(conversation_with(who, TRUE)), html);
		g_free(html);
	} else if (!strcmp(command, "typing")) {
		set_typing(who, PURPLE_TYPING);
	} else if (!strcmp(command, "idle")) {
		set_typing(who, PURPLE_NOT_TYPING);
	} else if (!strcmp(command, "close") && who) {
		PurpleConversation *conversation = conversation_with(who, FALSE);
		if (conversation)
			purple_conversation_destroy(conversation);
	} else if (!strcmp(command, "sign-out")) {
		purple_account_set_enabled(account, "sipe_peer", FALSE);
	} else if (!strcmp(command, "quit")) {
		g_main_loop_quit(loop);
	} else {
		tell("alert unknown command: %s", line);
	}
	g_strfreev(words);
	g_free(line);
	return TRUE;
}

static void listen_to_plugin(void)
{
	static int handle;
	void *connections = purple_connections_get_handle();
	void *conversations = purple_conversations_get_handle();
	purple_signal_connect(connections, "signed-on", &handle, PURPLE_CALLBACK(on_signed_on), NULL);
	purple_signal_connect(connections, "signed-off", &handle, PURPLE_CALLBACK(on_signed_off), NULL);
	purple_signal_connect(conversations, "received-im-msg", &handle, PURPLE_CALLBACK(on_im), NULL);
	purple_signal_connect(conversations, "buddy-typing", &handle, PURPLE_CALLBACK(on_typing), "typing");
	purple_signal_connect(conversations, "buddy-typing-stopped", &handle, PURPLE_CALLBACK(on_typing), "idle");
}

int main(int count, char **arguments)
{
	if (count != 2 && count != 6) {
		fprintf(stderr, "usage: %s DIRECTORY USER@DOMAIN DOMAIN\\ACCOUNT PASSWORD HOST:PORT\n", arguments[0]);
		return 2;
	}
	loop = g_main_loop_new(NULL, FALSE);
	purple_util_set_user_dir(arguments[1]);
	purple_debug_set_ui_ops(&debug_ops);
	purple_eventloop_set_ui_ops(&event_loop_ops);
	purple_conversations_set_ui_ops(&conversation_ops);
	purple_notify_set_ui_ops(&notify_ops);
	purple_connections_set_ui_ops(&connection_ops);
	purple_plugins_add_search_path("/usr/lib/purple-2");
	if (!purple_core_init("sipe_peer")) {
		fprintf(stderr, "libpurple does not start\n");
		return 1;
	}
	purple_set_blist(purple_blist_new());
	if (!purple_find_prpl("prpl-sipe")) {
		fprintf(stderr, "the plugin prpl-sipe is missing\n");
		return 3;
	}
	if (count == 2)
		return 0;
	listen_to_plugin();

	char *name = g_strdup_printf("%s,%s", arguments[2], arguments[3]);
	account = purple_account_new(name, "prpl-sipe");
	g_free(name);
	purple_accounts_add(account);
	purple_account_set_password(account, arguments[4]);
	purple_account_set_string(account, "server", arguments[5]);
	purple_account_set_string(account, "transport", "tcp");
	purple_account_set_string(account, "authentication", "ntlm");
	purple_account_set_bool(account, "sso", FALSE);

	GIOChannel *input = g_io_channel_unix_new(0);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP, obey, NULL);
	purple_account_set_enabled(account, "sipe_peer", TRUE);
	purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));
	g_main_loop_run(loop);
	purple_core_quit();
	return 0;
}
