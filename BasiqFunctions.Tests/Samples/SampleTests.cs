using System.Data.Common;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace BasiqFunctions.Tests.Samples;

/// <summary>The samples that keep a table in step, each against the app and the sandbox, killed again and again.</summary>
[Trait("Category", "Journeys")]
public sealed class SampleTests
{
    private const int Transactions = 300;

    [SkippableTheory]
    [InlineData("csharp", "SQLite")]
    [InlineData("csharp", "PostgreSQL")]
    [InlineData("typescript", "SQLite")]
    public async Task A_copy_is_equal_to_its_source_wherever_its_program_was_killed(string sample, string database)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        var programs = PostgresServer.Programs;
        Skip.If(database is "PostgreSQL" && programs is null, "No PostgreSQL here: apt-get install postgresql-15 (or 16).");
        using var folder = new TemporaryDirectory();
        await using var postgres = database is "PostgreSQL" ? await PostgresServer.StartAsync(programs!) : null;
        var file = Path.Combine(folder.Path, "copy.db");
        var connection = postgres?.ConnectionString ?? $"Data Source={file}";
        await using var app = await AppUnderTest.StartAsync(
            [$"Sandbox:TransactionsPerAccount={Transactions / 2}", "Sandbox:AccountsPerUser=2", "Sandbox:NewTransactions=5", "Sandbox:Webhooks=false"]);
        var (gavin, richard) = (await app.CreateUserAsync(), await app.CreateUserAsync("richard@piedpiper.com"));
        var bank = (await app.WaitForSyncAsync(gavin, await app.ConsentAndReturnAsync(gavin, "gavinBelson"))).Jobs[0].ConnectionId!;
        await app.WaitForSyncAsync(richard, await app.ConsentAndReturnAsync(richard, "richard"));
        var start = await StarterAsync(sample, app.Api.BaseAddress!, sample is "csharp" ? connection : file, null, gavin, richard);
        await using var copy = new CopyUnderTest(connection, app);
        var random = new Random(20);

        // In the midst of the first reading, again and again; a program may get further before it dies on a busy machine.
        List<int> counts = [];
        for (var part = 1; part <= 4; part++)
        {
            using var reading = start();
            var some = random.Next(part * 50, (part + 1) * 50);
            await copy.WaitForAsync(gavin, count => count > some, reading);
            await reading.KillAsync();
            counts.Add(await copy.CountAsync(gavin));
            if (part != 2)
                continue;

            // A cursor that is good for nothing any more: the whole is read again, and what that does not meet goes.
            await copy.AddAsync(gavin, "gone");
            var storage = app.Services.GetRequiredService<ISnapshotStorage>();
            await storage.DeleteByPrefixAsync(SnapshotPaths.Reads(new(gavin)), default);
        }

        Assert.Contains(counts, count => count is > 0 and < Transactions);
        using (var reading = start())
        {
            await copy.WaitUntilInStepAsync(gavin, reading);
            await copy.WaitUntilInStepAsync(richard, reading);
        }

        // While the bank has news.
        for (var round = 0; round < 6; round++)
        {
            using var reading = start();
            using (await app.Sandbox.PostAsync(new Uri($"_sandbox/background-refresh?userId={gavin}", UriKind.Relative), null))
            {
            }

            using var started = await app.Api.PostAsJsonAsync($"users/{gavin}/syncs", new { connectionIds = new[] { bank } });
            Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
            await app.WaitForSyncAsync(gavin, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);
            await Task.Delay(random.Next(0, 250));
            await reading.KillAsync();
        }

        using (var deleted = await app.Api.DeleteAsync(new Uri($"users/{richard}", UriKind.Relative)))
            Assert.True(deleted.IsSuccessStatusCode);
        using (var reading = start())
        {
            await copy.WaitUntilInStepAsync(gavin, reading);
            await copy.WaitForAsync(richard, count => count == 0, reading);
            using (var deleted = await app.Api.DeleteAsync(new Uri($"users/{gavin}/connections/{bank}", UriKind.Relative)))
                Assert.True(deleted.IsSuccessStatusCode);
            await copy.WaitForAsync(gavin, count => count == 0, reading);
            await copy.WaitUntilInStepAsync(gavin, reading);
        }
    }

    [SkippableTheory]
    [InlineData("csharp")]
    [InlineData("typescript")]
    public async Task A_notification_wakes_a_program_that_would_look_in_an_hour_and_a_forged_one_does_not(string sample)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        using var folder = new TemporaryDirectory();
        var file = Path.Combine(folder.Path, "copy.db");
        var connection = $"Data Source={file}";
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TransactionsPerAccount=20", "Sandbox:AccountsPerUser=1", "Sandbox:NewTransactions=5", "Sandbox:JobDuration=00:00:00", "Sandbox:Webhooks=false"]);
        var gavin = await app.CreateUserAsync();
        var bank = (await app.WaitForSyncAsync(gavin, await app.ConsentAndReturnAsync(gavin, "gavinBelson"))).Jobs[0].ConnectionId!;
        var url = new Uri($"http://127.0.0.1:{FreePort.Find()}/notifications");
        using var subscribed = await app.Api.PutAsJsonAsync("notifications/subscription", new { url });
        var secret = (await AppUnderTest.ReadAsync(subscribed)).GetProperty("secret").GetString()!;
        var start = await StarterAsync(
            sample,
            app.Api.BaseAddress!,
            sample is "csharp" ? connection : file,
            new Dictionary<string, string> { ["POLL_MS"] = "3600000", ["WEBHOOK_URL"] = $"{url}", ["WEBHOOK_SECRET"] = secret },
            gavin);
        await using var copy = new CopyUnderTest(connection, app);
        using var program = start();
        await copy.WaitUntilInStepAsync(gavin, program);

        for (var round = 1; round <= 2; round++)
        {
            var before = await copy.CountAsync(gavin);
            using (await app.Sandbox.PostAsync(new Uri($"_sandbox/background-refresh?userId={gavin}", UriKind.Relative), null))
            {
            }

            using var started = await app.Api.PostAsJsonAsync($"users/{gavin}/syncs", new { connectionIds = new[] { bank } });
            await app.WaitForSyncAsync(gavin, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);
            await copy.WaitForAsync(gavin, count => count > before, program);
            await copy.WaitUntilInStepAsync(gavin, program);
        }

        using var receiver = new HttpClient();
        using var forged = new HttpRequestMessage(HttpMethod.Post, url) { Content = JsonContent.Create(new { type = "data.changed", data = new { userId = gavin } }) };
        forged.Headers.Add("webhook-id", "msg_1");
        forged.Headers.Add("webhook-timestamp", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        forged.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(new byte[32])}");
        using var refused = await receiver.SendAsync(forged);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [SkippableFact]
    public async Task The_types_of_the_TypeScript_sample_are_right()
    {
        using var folder = new TemporaryDirectory();
        var sample = Path.Combine(Repository.Root, "samples", "typescript");
        Directory.CreateDirectory(Path.Combine(folder.Path, "src"));
        foreach (var file in ((string[])["package.json", "package-lock.json", ".npmrc", "tsconfig.json"]).Select(name => Path.Combine(sample, name)).Concat(Directory.GetFiles(Path.Combine(sample, "src"))))
            File.Copy(file, Path.Combine(folder.Path, Path.GetRelativePath(sample, file)));
        try
        {
            await NpmPackage.RunAsync(folder.Path, "ci");
        }
        catch (Exception e) when (e is NpmException or System.ComponentModel.Win32Exception or TimeoutException)
        {
            Skip.If(true, $"The compiler cannot be installed here: {e.Message}");
        }

        var (code, output, errors) = await ChildProcess.RunAsync(
            new(await NodeAsync(), [Path.Combine(folder.Path, "node_modules", "typescript", "bin", "tsc"), "-p", folder.Path]), TimeSpan.FromMinutes(2));
        Assert.True(code == 0, output + errors);
    }

    private static async Task<Func<SampleProcess>> StarterAsync(
        string sample, Uri api, string database, IReadOnlyDictionary<string, string>? environment, params string[] users)
    {
        if (sample is "csharp")
        {
            // Built beside the tests, in the same configuration.
            var built = new DirectoryInfo(AppContext.BaseDirectory);
            var program = Path.Combine(Repository.Root, "samples", "csharp", "bin", built.Parent!.Name, built.Name, "KeepInStep.dll");
            return () => SampleProcess.Start("dotnet", [program, $"{api}", database, .. users], environment);
        }

        var node = await NodeAsync();
        return () => SampleProcess.Start(node, [Path.Combine(Repository.Root, "samples", "typescript", "src", "main.ts"), $"{api}", database, .. users], environment);
    }

    private static async Task<string> NodeAsync()
    {
        try
        {
            return await NodeRuntime.FindAsync();
        }
        catch (NpmException e)
        {
            Skip.If(true, e.Message);
            throw;
        }
    }

    /// <summary>What a sample has written, beside what the app has.</summary>
    private sealed class CopyUnderTest(string connectionString, AppUnderTest app) : IAsyncDisposable
    {
        private readonly DbDataSource _database =
            (connectionString.StartsWith("Host=", StringComparison.Ordinal) ? (DbProviderFactory)NpgsqlFactory.Instance : SqliteFactory.Instance).CreateDataSource(connectionString);

        public async Task<int> CountAsync(string userId) => (await ReadAsync(userId, "transactions")).Count;

        /// <summary>Adds what the source does not have.</summary>
        public async Task AddAsync(string userId, string id)
        {
            await using var command = _database.CreateCommand($$"""INSERT INTO transactions (user_id, account_id, transaction_id, json, reading) VALUES ('{{userId}}', 'a', '{{id}}', '{}', 0)""");
            await command.ExecuteNonQueryAsync();
        }

        public async Task WaitForAsync(string userId, Predicate<int> isIt, SampleProcess sample)
        {
            try
            {
                // At short intervals: a program reads all there is within a longer one.
                await AppUnderTest.WaitForAsync(() => CountAsync(userId), count => isIt(count), () => { });
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"The sample says: {sample.Said}", e);
            }
        }

        public async Task WaitUntilInStepAsync(string userId, SampleProcess sample)
        {
            try
            {
                await AppUnderTest.WaitForAsync(() => FindDifferenceAsync(userId), difference => difference is null);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{await FindDifferenceAsync(userId)} The sample says: {sample.Said}", e);
            }
        }

        public ValueTask DisposeAsync() => _database.DisposeAsync();

        /// <summary>Something that differs; null when nothing does.</summary>
        private async Task<string?> FindDifferenceAsync(string userId)
        {
            var accounts = await ListAsync(userId, "accounts", account => account.GetProperty("id").GetString()!);
            var transactions = await ListAsync(userId, "transactions", t => $"{t.GetProperty("account").GetString()}/{t.GetProperty("id").GetString()}");
            return Difference(accounts, await ReadAsync(userId, "accounts")) ?? Difference(transactions, await ReadAsync(userId, "transactions"));
        }

        private static string? Difference(Dictionary<string, JsonElement> source, Dictionary<string, JsonElement> copy)
        {
            var missing = source.Keys.Except(copy.Keys).ToArray();
            var tooMany = copy.Keys.Except(source.Keys).ToArray();
            var others = source.Keys.Intersect(copy.Keys).Where(key => !IsSame(source[key], copy[key])).ToArray();
            return missing.Length + tooMany.Length + others.Length == 0 ? null : $"{missing.Length} are missing, {tooMany.Length} are too many, {others.Length} differ.";
        }

        /// <summary>Whether both say the same: a member that is null is as one that is not there, which typed clients do not tell apart.</summary>
        private static bool IsSame(JsonElement one, JsonElement other) => JsonNode.DeepEquals(WithoutNulls(one), WithoutNulls(other));

        private static JsonNode? WithoutNulls(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => new JsonObject(
                element.EnumerateObject().Where(member => member.Value.ValueKind is not JsonValueKind.Null).Select(member => KeyValuePair.Create(member.Name, WithoutNulls(member.Value)))),
            JsonValueKind.Array => new JsonArray([.. element.EnumerateArray().Select(WithoutNulls)]),
            _ => JsonValue.Create(element),
        };

        private async Task<Dictionary<string, JsonElement>> ListAsync(string userId, string name, Func<JsonElement, string> keyOf)
        {
            Dictionary<string, JsonElement> rows = [];
            string? cursor = null;
            do
            {
                var query = name is "accounts" ? "" : $"?limit=500{(cursor is null ? "" : $"&cursor={cursor}")}";
                using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/{name}{query}", UriKind.Relative));
                if (answer.StatusCode is HttpStatusCode.NotFound)
                    return [];
                var page = await AppUnderTest.ReadAsync(answer);
                foreach (var row in page.GetProperty(name).EnumerateArray())
                    rows.Add(keyOf(row), row.Clone());
                cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
            }
            while (cursor is not null);
            return rows;
        }

        private async Task<Dictionary<string, JsonElement>> ReadAsync(string userId, string table)
        {
            Dictionary<string, JsonElement> rows = [];
            var key = table is "accounts" ? "account_id" : "account_id || '/' || transaction_id";
            await using var command = _database.CreateCommand($"SELECT {key}, json FROM {table} WHERE user_id = '{userId}'");
            try
            {
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                    rows.Add(reader.GetString(0), JsonElement.Parse(reader.GetString(1)));
            }
            catch (DbException e) when (e.SqlState is "42P01" || e is SqliteException { SqliteErrorCode: 1 or 17 })
            {
                // The sample has not created its tables yet, or is about to.
            }

            return rows;
        }
    }
}
