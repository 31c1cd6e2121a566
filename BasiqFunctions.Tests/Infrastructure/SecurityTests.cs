namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>What is deployed is safe as it stands, and the rules that say so notice when it no longer is.</summary>
[Trait("Category", "Infra")]
public sealed class SecurityTests
{
    /// <summary>Storage Account Contributor: may read the keys, if there were any, and change the account.</summary>
    private const string WideRole = "17d1049b-9a84-46fb-8f53-869881c3d3ab";

    /// <summary>One mistake each, none in the way of another, and what is said of it.</summary>
    private static readonly (SourceChange Mistake, string Finding)[] Mistakes =
    [
        (new("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"), "allowSharedKeyAccess is true, not false"),
        (new("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"), "minimumTlsVersion is TLS1_0, not TLS1_2"),
        (new("modules/access.bicep", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", WideRole), $"{WideRole} on stbasiq"),
        (new("modules/access.bicep", "scope: vault::read[i]", "scope: vault"), "Key Vault Secrets User on kv-basiq-5ovyvqmewx4ba is given, and not needed"),
        (new("modules/access.bicep", "scope: account::blobs::container[i]", "scope: account"), "Storage Blob Data Contributor on stbasiq5ovyvqmewx4ba is given, and not needed"),
        (new("modules/vault.bicep", "publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'", "publicNetworkAccess: 'Enabled'"), "kv-basiq-5ovyvqmewx4ba is reached from outside of the network"),
        (new("modules/function-app.bicep", "    minTlsVersion: '1.2'", "    minTlsVersion: '1.0'"), "siteConfig.minTlsVersion is 1.0, not 1.2"),
        (new("modules/function-app.bicep", "allow: false", "allow: true"), "properties.allow is true, not false"),
        (new("modules/function-app.bicep", "KeyVault__Uri:", "Basiq__ApiKey: 'a key'\n  KeyVault__Uri:"), "The app setting Basiq__ApiKey is, or holds, a secret"),
        (new("modules/function-app.bicep", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072'", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '104857600'"),
            "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT does not keep the host from taking bodies"),
        (new("modules/function-app.bicep", "AzureWebJobsDisableHomepage: 'true'", "AzureWebJobsDisableHomepage: 'false'"), "The host shows a page of its own"),
        (new("modules/telemetry.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"), "DisableLocalAuth is false, not true"),
        (new("main.bicep", "output AZURE_KEY_VAULT_NAME string", "output STORAGE_KEY string"), "The output STORAGE_KEY is, or holds, a secret"),
    ];

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Nothing_is_open_that_need_not_be(string environment)
    {
        BicepCompiler.SkipWithout();

        Findings.None(SecurityRules.BrokenBy(await Deployment.OfAsync(environment)));
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task The_identity_has_the_roles_that_it_needs_and_no_other(string environment)
    {
        BicepCompiler.SkipWithout();

        Findings.None(RoleRules.BrokenBy(await Deployment.OfAsync(environment)));
    }

    [SkippableFact]
    public async Task Production_is_reached_through_its_network_alone()
    {
        BicepCompiler.SkipWithout();

        Assert.Single((await Deployment.OfAsync("prod")).Of("Microsoft.Network/virtualNetworks"));
        Assert.Empty((await Deployment.OfAsync("dev")).Of("Microsoft.Network/virtualNetworks"));
    }

    [SkippableFact]
    public async Task Each_mistake_is_noticed()
    {
        BicepCompiler.SkipWithout();

        var deployment = await BicepCompiler.CompileAsync("prod", [.. Mistakes.Select(mistake => mistake.Mistake)]);

        IReadOnlyList<string> findings = [.. SecurityRules.BrokenBy(deployment), .. RoleRules.BrokenBy(deployment)];
        Assert.All(Mistakes, mistake => Assert.Contains(findings, finding => finding.Contains(mistake.Finding, StringComparison.Ordinal)));
    }

    [SkippableFact]
    public async Task No_template_asks_for_keys()
    {
        BicepCompiler.SkipWithout();
        using var copy = BicepCompiler.Copy();

        var (code, template) = await BicepCompiler.RunAsync(copy.Path, "build", Path.Combine(copy.Path, "infra", "main.bicep"), "--stdout");

        Assert.Equal(0, code);
        Assert.DoesNotMatch("(?i)list[a-z]*(keys|secrets|sas|credentials)\\(", template);
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Whatever_can_have_tags_has_them(string environment)
    {
        BicepCompiler.SkipWithout();

        Assert.All(
            (await Deployment.OfAsync(environment)).Resources.Where(resource => resource["location"] is not null),
            resource => Assert.Equal(("BasiqFunctions", environment), (resource.Text("tags.application"), resource.Text("tags.environment"))));
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Vault_storage_and_app_log_what_happens_to_them(string environment)
    {
        BicepCompiler.SkipWithout();
        var deployment = await Deployment.OfAsync(environment);

        var logged = deployment.Of("Microsoft.Insights/diagnosticSettings").Select(setting => setting.Text("id")!).ToList();

        string[] types = ["Microsoft.KeyVault/vaults", "Microsoft.Web/sites", "Microsoft.Storage/storageAccounts/blobServices",
            "Microsoft.Storage/storageAccounts/queueServices", "Microsoft.Storage/storageAccounts/tableServices"];
        Assert.All(types, type => Assert.Contains(logged, id => id.StartsWith(deployment.Only(type).Text("id") + "/providers/Microsoft.Insights/", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public async Task Snapshots_are_kept_longer_than_a_consent_can_last_and_not_for_ever()
    {
        BicepCompiler.SkipWithout();

        var rule = Assert.Single((await Deployment.OfAsync("prod")).Only("Microsoft.Storage/storageAccounts/managementPolicies").At("properties.policy.rules")!.AsArray())!;

        Assert.Equal("[\"basiq-snapshots/\"]", rule.Text("definition.filters.prefixMatch"));
        Assert.InRange((int)rule.At("definition.actions.baseBlob.delete.daysAfterModificationGreaterThan")!, 367, 400);
    }
}
