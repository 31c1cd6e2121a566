using System.Text;
using System.Text.Encodings.Web;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sandbox.Webhooks;

namespace BasiqFunctions.Sandbox.Consents;

/// <summary>
/// The consent page, <c>/home</c>: choose a bank, log in as a test user, agree, perhaps connect another bank, and go back to
/// <see cref="SandboxOptions.ReturnUrl"/>. HTML and form posts only: it needs no script, and loads nothing but its style sheet.
/// </summary>
/// <remarks>
/// <para><c>GET /home?token=…</c> takes Basiq's optional <c>action</c>, <c>state</c>, <c>institutionId</c>, <c>connectionId</c>.</para>
/// <para>
/// <c>POST /home</c>, <c>application/x-www-form-urlencoded</c>, connects one bank per request. Fields: <c>token</c> (a client
/// token); <c>state</c> (optional); <c>institutionId</c>; <c>loginId</c>; <c>password</c>; <c>connectionId</c> (optional: log
/// in to this connection again); <c>jobIds</c> (the jobs of banks connected before in this visit, comma-joined, empty at
/// first: the page answered to <c>another=1</c> holds it in a hidden field); and one of
/// <c>another=1</c> (200: the bank picker again), <c>finish=1</c> (303 to the return URL with <c>jobIds=a,b</c>,
/// <c>jobId=a</c> and <c>state</c>), <c>cancel=1</c> (303 back at once; with no <c>jobIds</c> unless a bank was connected).
/// A person who leaves at the bank's log-in leaves a connection that is <c>pre-init</c>, or <c>init</c> after a password that was
/// wrong; the next visit of that bank goes on with it. With <c>finish=1</c> and no <c>institutionId</c> the visit ends with the banks it has. A wrong password is 400 with the
/// form again, a token that is missing, expired or not a client token 401.
/// </para>
/// </remarks>
internal sealed class ConsentPage(
    SandboxState state, Tokens tokens, Jobs jobs, ConsentLife consents, Events events, ManagePage manage, LiveOptions options, TimeProvider clock)
{
    private static readonly byte[] StyleSheet = ReadStyleSheet();

    public void Map(ApiRoutes routes)
    {
        routes.Open("GET", "/home", Show);
        routes.Open("POST", "/home", Submit);
        routes.Open("GET", "/home/link/{linkId}", FollowLink);
        routes.Open("GET", "/home/style.css", Style);
        manage.Map(routes);
    }

    private static byte[] ReadStyleSheet()
    {
        using var stream = typeof(ConsentPage).Assembly.GetManifestResourceStream("consent-page.css")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private async Task Style(HttpContext context)
    {
        context.Response.ContentType = "text/css; charset=utf-8";
        context.Response.ContentLength = StyleSheet.Length;
        await context.Response.Body.WriteAsync(StyleSheet, context.RequestAborted);
    }

    private Task Show(HttpContext context)
    {
        var query = context.Request.Query;
        if (Read(name => query[name]) is not { } visit)
            return Refuse(context);
        return visit.Action == "manage" ? manage.Show(context, visit.User) : ShowStep(context, visit, 200);
    }

    private async Task Submit(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            await Message(context, 400, "That did not work", "Send the form as application/x-www-form-urlencoded.");
            return;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (Read(name => form[name]) is not { } visit)
            await Refuse(context);
        else if (visit.Asks("cancel"))
            GoBack(context, visit);
        else if (visit.InstitutionId is null && visit.Asks("finish"))
            await Finish(context, visit);
        else if (visit.LoginId is null || visit.Institution is null)
            await ShowStep(context, visit, 200);
        else
            await Connect(context, visit);
    }

    private Task FollowLink(HttpContext context)
    {
        var id = (string)context.Request.RouteValues["linkId"]!;
        if (state.UserOfAuthLink(id) is not { AuthLink: { } link } user || link.Id != id)
            return Message(context, 404, "This link is not known", "Ask for a new one.");
        if (link.Expires <= clock.GetUtcNow())
            return Message(context, 410, "This link has expired", "Ask for a new one.");
        SetHeaders(context, 303);
        context.Response.Headers.Location = $"/home?token={tokens.Mint(TokenScope.Client, user.Record.Application, Guid.Parse(user.Id)).Text}";
        return Task.CompletedTask;
    }

    private Visit? Read(Func<string, string?> field)
    {
        if (tokens.Read(field("token")) is not { Scope: TokenScope.Client, UserId: { } userId } || state.User(userId) is not { } user)
            return null;
        var connection = field("connectionId") is { Length: > 0 } id ? user.Connection(id) : null;
        var institutionId = field("institutionId") is { Length: > 0 } given ? given : connection?.Record.InstitutionId;

        // The list comes back from the browser: only this user's jobs may return with it.
        var ids = (field("jobIds") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] jobIds = [.. ids.Where(j => state.Job(j)?.UserId == userId).Distinct()];
        return new Visit(field, user, connection, institutionId, jobIds);
    }

    private Task Finish(HttpContext context, Visit visit)
    {
        if (visit.Action == "extend")
            Extend(visit.User);
        else if (visit.JobIds.Count == 0 && visit.Action != "manage")
            return ShowStep(context, visit, 400, "Connect a bank first, or cancel.");
        GoBack(context, visit);
        return Task.CompletedTask;
    }

    private async Task Connect(HttpContext context, Visit visit)
    {
        if (Persona.Find(visit.LoginId!) is not { } persona || persona.User.Password != visit["password"])
        {
            Begin(visit, "init");
            await ShowStep(context, visit, 400, "The login or the password is not right.");
            return;
        }

        JobRecord? job = null;
        lock (visit.User.Gate)
        {
            if (!visit.User.Deleted)
                job = jobs.Start(Connected(visit, persona), authorises: true).Job;
        }

        if (job is null)
        {
            await Refuse(context);
            return;
        }

        var next = visit with { JobIds = [.. visit.JobIds, job.Id], InstitutionId = null, Connection = null, LoginId = null };
        if (visit.Asks("another"))
            await ShowStep(context, next, 200);
        else
            GoBack(context, next);
    }

    /// <summary>The connection that a log-in makes or renews, resting on the consent that is in force.</summary>
    private ConnectionState Connected(Visit visit, Persona persona)
    {
        var user = visit.User;
        var consent = consents.InForce(user) ?? consents.Give(user);

        ConnectionRecord record;
        if ((visit.Connection ?? SentBefore(visit) ?? Unfinished(visit)) is { } known && known.Record.InstitutionId == visit.InstitutionId)
        {
            record = known.Record with { LoginId = persona.User.LoginId, ConsentId = consent.Id, ConsentRevoked = false, LeftAs = null };
        }
        else
        {
            record = New(visit, persona.User.LoginId, consent.Id);
        }

        var isNew = user.Connection(record.Id) is null or { Record.LeftAs: not null };
        state.Record(new StateLine { Connection = record });
        if (isNew)
            events.Raise(EventTypes.ConnectionCreated, record, "pending");
        return user.Connection(record.Id)!;
    }

    private ConnectionRecord New(Visit visit, string loginId, string consentId)
    {
        var current = options.Current;
        return new ConnectionRecord(
            Guid.NewGuid().ToString(),
            visit.User.Id,
            visit.InstitutionId!,
            loginId,
            consentId,
            clock.GetUtcNow(),
            current.Seed,
            current.AccountsPerUser,
            current.TransactionsPerAccount);
    }

    /// <summary>What the same form has made already, for whoever clicks twice, or goes back and sends it again.</summary>
    private static ConnectionState? SentBefore(Visit visit) =>
        visit["begun"] is { Length: > 0 } id && visit.User.Connection(id) is { Record: { Deleted: false, LeftAs: null } record } made && record.LoginId == visit.LoginId
            ? made
            : null;

    /// <summary>The connection of this bank that the person has begun and not finished.</summary>
    private static ConnectionState? Unfinished(Visit visit) =>
        visit.User.Connections.FirstOrDefault(c => c.Record is { Deleted: false, LeftAs: not null } record && record.InstitutionId == visit.InstitutionId);

    /// <summary>Notes how far a person has come who connects a bank.</summary>
    private void Begin(Visit visit, string status)
    {
        lock (visit.User.Gate)
        {
            if (visit.User.Deleted || visit.Connection is not null || visit.Action is not (null or "connect"))
                return;
            if (Unfinished(visit)?.Record is not { } begun)
                state.Record(new StateLine { Connection = New(visit, loginId: "", consentId: "") with { LeftAs = status } });
            else if (status == "init")
                state.Record(new StateLine { Connection = begun with { LeftAs = status } });
        }
    }

    private void Extend(UserState user)
    {
        lock (user.Gate)
        {
            if (!user.Deleted)
                consents.Extend(user);
        }
    }

    private void GoBack(HttpContext context, Visit visit)
    {
        var url = new StringBuilder(options.Current.ReturnUrl);
        var separator = options.Current.ReturnUrl.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        if (visit.JobIds.Count > 0)
        {
            url.Append(separator).Append("jobIds=").AppendJoin(',', visit.JobIds).Append("&jobId=").Append(visit.JobIds[0]);
            separator = '&';
        }

        if (visit["state"] is { Length: > 0 } returned)
            url.Append(separator).Append("state=").Append(Uri.EscapeDataString(returned));
        SetHeaders(context, 303);
        context.Response.Headers.Location = url.ToString();
    }

    private Task ShowStep(HttpContext context, Visit visit, int status, string? error = null)
    {
        if (visit.Institution is { } bank)
        {
            Begin(visit, "pre-init");
            return Page(context, status, $"Log in to {bank.Name}", LogIn(visit, bank, error));
        }

        if (visit.InstitutionId is not null)
            (status, error, visit) = (400, "There is no such bank here. Choose one of these.", visit with { InstitutionId = null });
        return Page(context, status, "Choose your bank", ChooseBank(visit, error));
    }

    private static string ChooseBank(Visit visit, string? error)
    {
        var html = new StringBuilder();
        html.Append("<p class=\"lead\">You will log in there, on the bank's own page. The app never sees your password.</p>");
        AppendError(html, error);
        var connected = visit.User.Connections.Where(c => c.Record is { Deleted: false, LeftAs: null }).ToArray();
        if (connected.Length > 0)
        {
            html.Append("<h2>Connected so far</h2><ul class=\"connected\">");
            foreach (var connection in connected)
                html.Append("<li>").Append(Encode(Institution.Find(connection.Record.InstitutionId)!.Name)).Append("</li>");
            html.Append("</ul><h2>Connect another bank</h2>");
        }

        html.Append("<div class=\"banks\">");
        foreach (var bank in Institution.All)
        {
            OpenForm(html, visit);
            Hidden(html, "institutionId", bank.Id);
            html.Append("<button>").Append(Mark(bank)).Append(Encode(bank.Name)).Append("</button></form>");
        }

        html.Append("</div>");
        OpenForm(html, visit);
        html.Append("<div class=\"actions\">");
        if (visit.Action == "extend")
            html.Append("<button class=\"main\" name=\"finish\" value=\"1\">Extend my consent by 12 months</button>");
        else if (visit.JobIds.Count > 0 || visit.Action == "manage")
            html.Append("<button class=\"main\" name=\"finish\" value=\"1\">Finish</button>");
        if (visit.JobIds.Count == 0)
            html.Append("<button name=\"cancel\" value=\"1\">Cancel</button>");
        return html.Append("</div></form>").ToString();
    }

    private string LogIn(Visit visit, Institution bank, string? error)
    {
        var html = new StringBuilder();
        AppendError(html, error);
        var chosen = TestUsers.Find(visit["prefill"] ?? "");
        if (chosen is not null)
        {
            html.Append("<p class=\"notice\" role=\"status\">Filled in for <strong>").Append(Encode(chosen.LoginId))
                .Append("</strong>. Read what you agree to, and go on.</p>");
        }

        var until = SydneyDays.InWords(clock.GetUtcNow() + options.Current.ConsentLifetime);
        OpenForm(html, visit);
        Hidden(html, "institutionId", bank.Id);
        Hidden(html, "connectionId", visit.Connection?.Record.Id);
        Hidden(html, "begun", Unfinished(visit)?.Record.Id);
        html.Append("<div class=\"fields\"><div><label for=\"loginId\">Login</label>")
            .Append("<input id=\"loginId\" name=\"loginId\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" required value=\"")
            .Append(Encode(chosen?.LoginId ?? visit.LoginId))
            .Append("\"></div><div><label for=\"password\">Password</label>")
            .Append("<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"off\" required value=\"")
            .Append(Encode(chosen?.Password))
            .Append("\"></div></div><section class=\"consent\"><h2>What you agree to share</h2><ul class=\"shared\">")
            .Append("<li><strong>Who you are</strong> Your name and contact details</li>")
            .Append("<li><strong>Your accounts</strong> Their names, numbers and balances</li>")
            .Append("<li><strong>Your transactions</strong> Those of the last year, and new ones</li></ul><p>")
            .Append("Until ").Append(until)
            .Append(". You can withdraw at any time; what was fetched is deleted then.</p></section>")
            .Append("<div class=\"actions\"><button class=\"main\" name=\"finish\" value=\"1\">Agree and finish</button>")
            .Append("<button name=\"another\" value=\"1\">Agree and connect another bank</button>")
            .Append("<button class=\"quiet\" name=\"cancel\" value=\"1\" formnovalidate>Cancel</button></div></form>")
            .Append("<section class=\"people\"><h2>Test users</h2><p>Nobody has an account here: borrow one. A click fills in the form.</p><ul>");
        foreach (var user in TestUsers.All)
        {
            html.Append(user.AlwaysFails ? "<li class=\"fails\">" : "<li>");
            OpenForm(html, visit);
            Hidden(html, "institutionId", bank.Id);
            Hidden(html, "connectionId", visit.Connection?.Record.Id);
            Hidden(html, "prefill", user.LoginId);
            html.Append("<button><span class=\"login\"><code>").Append(Encode(user.LoginId)).Append("</code> <code>")
                .Append(Encode(user.Password)).Append("</code></span><span class=\"shows\">").Append(Encode(user.Shows))
                .Append("</span></button></form></li>");
        }

        return html.Append("</ul></section>").ToString();
    }

    private static string Mark(Institution bank) =>
        $"<span class=\"mark\" aria-hidden=\"true\">{Encode(bank.ShortName[..1])}</span>";

    private static void AppendError(StringBuilder html, string? error)
    {
        if (error is not null)
            html.Append("<p class=\"error\" role=\"alert\">").Append(Encode(error)).Append("</p>");
    }

    private static void OpenForm(StringBuilder html, Visit visit)
    {
        html.Append("<form method=\"post\" action=\"/home\">");
        Hidden(html, "token", visit["token"]);
        Hidden(html, "action", visit.Action);
        Hidden(html, "state", visit["state"]);
        Hidden(html, "jobIds", string.Join(',', visit.JobIds));
    }

    internal static void Hidden(StringBuilder html, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            html.Append("<input type=\"hidden\" name=\"").Append(name).Append("\" value=\"").Append(Encode(value)).Append("\">");
    }

    internal static string Encode(string? text) => HtmlEncoder.Default.Encode(text ?? "");

    internal static Task Refuse(HttpContext context) => Message(
        context, 401, "This page has expired", "It needs a client token that is valid. Go back to the app and start again.");

    private static Task Message(HttpContext context, int status, string title, string text) =>
        Page(context, status, title, $"<p>{Encode(text)}</p>");

    internal static async Task Page(HttpContext context, int status, string title, string content)
    {
        SetHeaders(context, status);
        var html = $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Encode(title)}</title>
            <link rel="stylesheet" href="/home/style.css">
            </head>
            <body>
            <header>Consent <span class="tag">Sandbox: no real bank, no real money</span></header>
            <main>
            <h1>{Encode(title)}</h1>
            {content}
            </main>
            </body>
            </html>
            """;
        var bytes = Encoding.UTF8.GetBytes(html);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    internal static void SetHeaders(HttpContext context, int status)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XContentTypeOptions = "nosniff";

        // No form-action: browsers apply it to the redirects that follow a form, and the app may send its user anywhere.
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    }

    /// <summary>One request of a visit: what the form or the query carries, with the user that its token is bound to.</summary>
    private sealed record Visit(
        Func<string, string?> Field, UserState User, ConnectionState? Connection, string? InstitutionId, IReadOnlyList<string> JobIds)
    {
        public string? this[string name] => Field(name);

        public string? LoginId { get; init; } = Field("loginId");

        public string? Action =>
            Field("action") is "connect" or "manage" or "extend" or "update" or "reauthorise" ? Field("action") : null;

        public Institution? Institution => Institution.Find(InstitutionId);

        public bool Asks(string button) => !string.IsNullOrEmpty(Field(button));
    }
}
