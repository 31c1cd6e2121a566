using System.Globalization;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Sender = BasiqFunctions.Tests.Hosting.Webhooks;

namespace BasiqFunctions.Tests.Webhooks;

/// <summary>A message is answered within a second, whatever hangs behind: yes once its event is scheduled, and else no.</summary>
[Trait("Category", "Journeys")]
public sealed class WebhookReceiverTests : IDisposable
{
    private const string Secret = "whsec_c2VjcmV0IG9mIHRoZXNlIHRlc3Rz";

    private readonly TelemetryCapture _telemetry = new();
    private readonly UsersScene _scene = new();
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        _gate.TrySetResult();
        _scene.Dispose();
        _telemetry.Dispose();
    }

    [Fact]
    public async Task An_event_that_is_slow_to_be_scheduled_is_to_be_sent_again_and_is_scheduled_once()
    {
        await StoreSecretAsync();
        _scene.Durable.BeforeSchedule = _ => HangAsync();

        var answering = SendAsync("m1", "e1");
        await ReachedAsync(answering);
        _scene.Clock.Advance(WebhookReceiver.AnswerWithin);
        AssertToBeSentAgain(await answering);

        _gate.SetResult();
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_scene.Durable.Scheduled.Count), scheduled => scheduled > 0);
        Assert.Equal(204, (await SendAsync("m1", "e1")).Status);
        Assert.Equal(["event-e1"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task What_cannot_be_scheduled_is_to_be_sent_again_and_keeps_no_other_waiting()
    {
        await StoreSecretAsync();
        _scene.Durable.BeforeSchedule = id => id == "event-e1" ? throw new InvalidOperationException("as the test wants") : Task.CompletedTask;

        AssertToBeSentAgain(await SendAsync("m1", "e1"));
        AssertToBeSentAgain(await SendAsync("m1", "e1"));
        Assert.Equal(204, (await SendAsync("m2", "e2")).Status);
        Assert.Single(_scene.Logs.Lines, line => line.Contains("Could not schedule webhooks in time (InvalidOperationException)", StringComparison.Ordinal));

        _scene.Durable.BeforeSchedule = _ => Task.CompletedTask;
        Assert.Equal(204, (await SendAsync("m1", "e1")).Status);
        Assert.Equal(["event-e2", "event-e1"], _scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_vault_that_hangs_at_first_has_the_message_sent_again_and_is_read_once()
    {
        await StoreSecretAsync();
        _scene.Vault.IsStuck = true;
        var before = _scene.Vault.Requests;
        var answering = new[] { SendAsync("m1", "e1"), SendAsync("m2", "e2") };
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_scene.Vault.Requests), requests => requests > before);
        _scene.Clock.Advance(WebhookReceiver.AnswerWithin);
        foreach (var answer in await Task.WhenAll(answering))
            AssertToBeSentAgain(answer);
        Assert.Equal(before + 1, _scene.Vault.Requests);

        // The read gives up, and then a message starts another.
        _scene.Vault.IsStuck = false;
        _scene.Clock.Advance(TimeSpan.FromSeconds(5));
        await AppUnderTest.WaitForAsync(async () => (await SendAsync("m1", "e1")).Status, status => status == 204);
        var after = _scene.Vault.Requests;
        Assert.Equal(204, (await SendAsync("m2", "e2")).Status);
        Assert.Equal(after, _scene.Vault.Requests);
    }

    [Fact]
    public async Task A_vault_that_hangs_when_the_secret_is_due_to_be_read_anew_keeps_nobody_waiting()
    {
        await StoreSecretAsync();
        Assert.Equal(204, (await SendAsync("m1", "e1")).Status);
        _scene.Clock.Advance(WebhookSecrets.Lifetime);
        _scene.Vault.IsStuck = true;
        var before = _scene.Vault.Requests;

        var answering = SendAsync("m2", "e2");
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_scene.Vault.Requests), requests => requests > before);
        _scene.Clock.Advance(WebhookSecrets.PatienceForFresh);
        Assert.Equal(204, (await answering).Status);
    }

    [Fact]
    public async Task A_message_that_is_not_Basiq_s_is_refused_counted_and_leaves_nothing()
    {
        Assert.Equal(401, (await SendAsync("m1", "e1")).Status);
        Assert.Equal(1, Refusals()["no-secret"]);

        await StoreSecretAsync();
        _scene.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(401, (await SendAsync("m1", "e1", "whsec_b3RoZXI=")).Status);
        Assert.Equal(401, (await SendAsync("m1", "e1", at: TimeSpan.FromSeconds(-301))).Status);
        Assert.Equal(401, (await SendAsync("m1", "e1", at: TimeSpan.FromSeconds(301))).Status);
        Assert.Equal(401, (await SendAsync("", "e1")).Status);
        var sums = Refusals();
        Assert.Equal((1, 2, 1), (sums["wrong-signature"], sums["stale"], sums["malformed-headers"]));
        Assert.Empty(_scene.Durable.Instances);
        Assert.Empty(_telemetry.SumsOf(_scene.Services, "basiq.webhook.messages"));
    }

    [Fact]
    public async Task Forged_messages_are_logged_once_a_minute_with_their_number()
    {
        await StoreSecretAsync();
        for (var i = 0; i < 200; i++)
            Assert.Equal(401, (await SendAsync($"m{i}", "e1", "whsec_b3RoZXI=")).Status);
        Assert.Equal(401, (await SendAsync("", "e1")).Status);
        Assert.Equal(["1 (wrong-signature)", "1 (malformed-headers)"], Lines());

        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await SendAsync("m", "e1", "whsec_b3RoZXI=")).Status);
        Assert.Equal(["1 (wrong-signature)", "1 (malformed-headers)", "200 (wrong-signature)"], Lines());
        Assert.Equal(201, Refusals()["wrong-signature"]);

        IEnumerable<string> Lines() => System.Text.RegularExpressions.Regex.Matches(_scene.Logs.Text, @"Webhooks refused \(([a-z-]+)\) since the last message: (\d+)").Select(m => $"{m.Groups[2].Value} ({m.Groups[1].Value})");
    }

    [Theory]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAg8")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("-_-_-_-_-_-_-_-_-_-_-_-_")]
    public async Task A_secret_is_taken_in_each_form_that_it_comes_in(string secret)
    {
        await _scene.Get<SecretClient>().SetSecretAsync("basiq-webhook-secret", secret);
        Assert.Equal(204, (await SendAsync("m1", "e1", secret)).Status);
    }

    [Theory]
    [InlineData(OrchestrationRuntimeStatus.Running)]
    [InlineData(OrchestrationRuntimeStatus.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Terminated)]
    public async Task Whatever_tells_of_an_event_again_finds_its_orchestration_also_when_that_has_ended(OrchestrationRuntimeStatus status)
    {
        await StoreSecretAsync();
        Assert.Equal(204, (await SendAsync("m1", "e1")).Status);
        _scene.Durable.Set("event-e1", status);
        foreach (var message in new[] { "m1", "m2", "m1" })
            Assert.Equal(204, (await SendAsync(message, "e1")).Status);

        Assert.Equal(["event-e1"], _scene.Durable.Scheduled);
        var sums = _telemetry.SumsOf(_scene.Services, "basiq.webhook.messages");
        Assert.Equal((1, 3), (sums["accepted"], sums["duplicate"]));
    }

    [Fact]
    public async Task Messages_that_tell_of_one_event_at_once_schedule_it_once()
    {
        await StoreSecretAsync();
        _scene.Durable.BeforeSchedule = id =>
            _scene.Durable.Instances.Contains(id) ? throw new InvalidOperationException("There is one already.") : HangAsync();
        var first = SendAsync("m1", "e1");
        await ReachedAsync(first);
        _scene.Durable.Set("event-e1", OrchestrationRuntimeStatus.Running);
        Assert.Equal(204, (await SendAsync("m2", "e1")).Status);
        _gate.SetException(new InvalidOperationException("There is one already."));
        Assert.Equal(204, (await first).Status);
    }

    private static void AssertToBeSentAgain(Answer answer)
    {
        Assert.Equal(503, answer.Status);
        Assert.Equal("dependency-unavailable", answer.Json.GetProperty("code").GetString());
        Assert.NotEmpty(answer.Headers.RetryAfter.ToString());
    }

    private IReadOnlyDictionary<string, double> Refusals() => _telemetry.SumsOf(_scene.Services, "basiq.webhook.refusals");

    private Task HangAsync()
    {
        _reached.TrySetResult();
        return _gate.Task;
    }

    private async Task ReachedAsync(Task<Answer> answering) =>
        Assert.True(await Task.WhenAny(_reached.Task, answering) == _reached.Task, "It was answered before it came to what hangs.");

    private Task StoreSecretAsync() => _scene.Get<SecretClient>().SetSecretAsync("basiq-webhook-secret", Secret);

    private Task<Answer> SendAsync(string message, string happened, string secret = Secret, TimeSpan at = default)
    {
        var body = $$"""{"eventId":"{{happened}}"}""";
        var timestamp = (_scene.Clock.GetUtcNow() + at).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return _scene.CallAsync<WebhookFunctions>(
            (functions, request) => functions.ReceiveWebhook(request, _scene.Durable.Client, default),
            body,
            headers: [("webhook-id", message), ("webhook-timestamp", timestamp), ("webhook-signature", Sender.Sign(secret, message, timestamp, body))]);
    }
}
