using System.Text;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>The secrets of all subscriptions are one secret of Key Vault, and none loses another's.</summary>
[Trait("Category", "Unit")]
public sealed class NotificationSecretsTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly SqliteRecordTables _tables;
    private readonly SecretClient _vault;

    public NotificationSecretsTests()
    {
        _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        _vault = new SwitchableVault(Path.Combine(_folder.Path, "vault.json"), TimeProvider.System).CreateClient();
    }

    public void Dispose()
    {
        _tables.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Instances_that_make_secrets_at_the_same_time_lose_none()
    {
        NotificationSecrets[] instances = [Instance(), Instance(), Instance()];
        var made = await Task.WhenAll(Enumerable.Range(0, 12).Select(async n => ($"s{n}", await instances[n % 3].MakeAsync($"s{n}", default))));

        foreach (var (name, text) in made)
            Assert.Equal(StandardWebhooks.KeyOf(text), Assert.Single(await Instance().GetKeysAsync(name, default)));
    }

    [Fact]
    public async Task Who_died_while_changing_them_is_not_waited_for_for_ever()
    {
        var left = new TableRecord("changes-of-secrets", "changes-of-secrets", Encoding.ASCII.GetBytes("dead")) { ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(1) };
        Assert.NotNull(await Table.TryAddAsync(left, default));

        var made = await Instance().MakeAsync("s", default);

        Assert.True(DateTimeOffset.UtcNow >= left.ExpiresAt);
        Assert.Equal(StandardWebhooks.KeyOf(made), Assert.Single(await Instance().GetKeysAsync("s", default)));
        Assert.Empty(await Table.ListAsync(left.Partition, 10, null, default));
    }

    [Fact]
    public async Task What_is_forgotten_is_what_had_ended_and_not_what_was_made_since()
    {
        var secrets = Instance();
        await secrets.MakeAsync("s", default);
        var ended = await secrets.ListAsync("s", default);
        var anew = await secrets.MakeAsync("s", default);

        await secrets.RemoveAsync("s", ended, default);

        Assert.Equal(StandardWebhooks.KeyOf(anew), Assert.Single(await Instance().GetKeysAsync("s", default)));
    }

    private IRecordTable Table => ((IRecordTables)_tables).Open("Notifications");

    private NotificationSecrets Instance() =>
        new(_vault, Table, Options.Create(new NotificationOptions()), TimeProvider.System, NullLogger<NotificationSecrets>.Instance);
}
