using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Users;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Consents;

/// <summary>The timer around the daily pass.</summary>
[Trait("Category", "Unit")]
public sealed class EnforceRetentionTests : IDisposable
{
    private readonly UsersScene _scene = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EnforceRetentionTests() => _scene.Basiq
        .Setup(b => b.ListConsentsAsync(UsersScene.UserId, It.IsAny<CancellationToken>()))
        .Returns(async (string _, CancellationToken cancellation) =>
        {
            _asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
            return (IReadOnlyList<Consent>)[];
        });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_pass_that_takes_too_long_ends_before_the_host_ends_it()
    {
        await _scene.PublishAsync(UsersScene.UserId, "c1");
        var pass = RunAsync(CancellationToken.None);
        await _asked.Task;

        _scene.Clock.Advance(TimeSpan.FromMinutes(8));

        await pass.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("[3407]", _scene.Logs.Text, StringComparison.Ordinal);
        Assert.True(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task A_pass_that_the_host_ends_has_not_ended_well()
    {
        await _scene.PublishAsync(UsersScene.UserId, "c1");
        using var host = new CancellationTokenSource();
        var pass = RunAsync(host.Token);
        await _asked.Task;

        await host.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pass.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.DoesNotContain("[3407]", _scene.Logs.Text, StringComparison.Ordinal);
    }

    private Task RunAsync(CancellationToken cancellation) =>
        ActivatorUtilities.CreateInstance<EnforceRetention>(_scene.Services).Run(new TimerInfo(), _scene.Durable.Client, cancellation);
}
